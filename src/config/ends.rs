//! The two ends of a copy, as its command is given them. Environment and file say nothing here: what a copy reads and what
//! it writes over is said each time.

use std::path::PathBuf;

use clap::Args;

use super::{ConfigError, Place, Secret};
use crate::settings::Database;
use crate::store::postgres;

/// Where a copy comes from and where it goes.
#[derive(Args, Debug)]
pub struct CopyEnds {
    /// What to copy: a data folder, or a PostgreSQL database as postgres://user@host:5432/name
    #[arg(long, value_name = "FOLDER|URL")]
    from: Secret,
    /// A file that holds the password of the database to copy
    #[arg(long, value_name = "FILE")]
    from_password_file: Option<PathBuf>,
    /// Where to: a data folder, made when it is not there, or a PostgreSQL database
    #[arg(long, value_name = "FOLDER|URL")]
    to: Secret,
    /// A file that holds the password of the database to write
    #[arg(long, value_name = "FILE")]
    to_password_file: Option<PathBuf>,
}

impl CopyEnds {
    /// Source and target.
    pub fn places(self) -> Result<(Place, Place), ConfigError> {
        let CopyEnds { from, from_password_file, to, to_password_file } = self;
        Ok((end("from", from, from_password_file)?, end("to", to, to_password_file)?))
    }
}

fn end(name: &str, Secret(text): Secret, password_file: Option<PathBuf>) -> Result<Place, ConfigError> {
    if text.contains("://") {
        let database = Database { password_file, ..Database::new(text) };
        postgres::examine(&database).map_err(|reason| ConfigError(format!("--{name}: {reason}")))?;
        return Ok(Place::Database(database));
    }
    let refuse = |reason: &str| Err(ConfigError(format!("--{name}{reason}")));
    match (text.is_empty(), password_file) {
        (true, _) => refuse(" is empty: name a data folder or a database"),
        (false, Some(_)) => refuse("-password-file says nothing about a data folder"),
        (false, None) => Ok(Place::Folder(text.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end_of(text: &str, file: Option<&str>) -> Result<Place, ConfigError> {
        end("to", Secret(text.into()), file.map(PathBuf::from))
    }

    #[test]
    fn a_url_is_a_database_and_all_else_a_folder() {
        assert_eq!(end_of("./data", None), Ok(Place::Folder("./data".into())));
        let url = "postgres://ada@db/x";
        assert_eq!(end_of(url, None), Ok(Place::Database(Database::new(url))));
        let with_file = Database { password_file: Some("/p".into()), ..Database::new(url) };
        assert_eq!(end_of(url, Some("/p")), Ok(Place::Database(with_file)));
    }

    #[test]
    fn what_makes_no_sense_is_refused_without_the_password() {
        for (text, file, reason) in [
            ("", None, "--to is empty"),
            ("./data", Some("/p"), "--to-password-file says nothing about a data folder"),
            ("mysql://ada:sesame@db/x", None, "--to: the database URL does not work"),
            ("postgres://ada:sesame@db:x/y", None, "--to: the database URL does not work"),
            ("postgres://ada:sesame@db/y", Some("/p"), "give one of them"),
        ] {
            let refusal = end_of(text, file).expect_err(reason).to_string();
            assert!(refusal.contains(reason) && !refusal.contains("sesame"), "{refusal}");
        }
    }
}
