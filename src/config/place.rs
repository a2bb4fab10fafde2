//! Where records are kept, as options say it: in a folder, or in a database. It is one question: who goes first, a flag
//! before the environment before the file, answers it alone.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Id};

use super::{ConfigError, FileOption, Options, Secret, Span};
use crate::settings::{Database, Openness, Settings};
use crate::store::postgres;

/// The options that say: in a folder.
const FOLDER: [&str; 2] = ["data", "ephemeral"];
/// The options that say: in a database.
const DATABASE: [&str; 5] = [
    "database_url",
    "database_password_file",
    "database_pool_size",
    "database_statement_timeout",
    "database_lock_timeout",
];
/// The most connections that a server may ask for; a PostgreSQL server as it is installed has a hundred.
const MAX_POOL_SIZE: usize = 1_000;

/// Where records are kept.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// In this folder.
    Folder(PathBuf),
    /// In this database.
    Database(Database),
}

/// Which records an operator's command works on.
#[derive(Args, Clone, Debug, Default)]
pub struct StoreOptions {
    /// The data folder, of a running server or not [default: ./cusp-data]
    #[arg(long, env = "CUSP_DATA", value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// The PostgreSQL database, of running servers or not: postgres://user@host:5432/name
    #[arg(long, env = "CUSP_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: Option<Secret>,
    /// A file that holds the database's password
    #[arg(long, env = "CUSP_DATABASE_PASSWORD_FILE", value_name = "FILE")]
    database_password_file: Option<PathBuf>,
    // What a server may be told about its database, a command in the same environment must understand.
    /// As a server has it; a command makes one or two connections
    #[arg(long, env = "CUSP_DATABASE_POOL_SIZE", value_name = "NUMBER", hide = true)]
    database_pool_size: Option<usize>,
    /// How long the database may work on one statement [default: 10s]
    #[arg(long, env = "CUSP_DATABASE_STATEMENT_TIMEOUT", value_name = "DURATION")]
    database_statement_timeout: Option<Span>,
    /// How long a statement may wait for a lock [default: 5s]
    #[arg(long, env = "CUSP_DATABASE_LOCK_TIMEOUT", value_name = "DURATION")]
    database_lock_timeout: Option<Span>,
    #[command(flatten)]
    file: FileOption,
}

impl StoreOptions {
    /// The place that flag, environment, file or default give.
    pub fn place(self) -> Result<Place, ConfigError> {
        let StoreOptions {
            data,
            database_url,
            database_password_file,
            database_pool_size,
            database_statement_timeout,
            database_lock_timeout,
            file,
        } = self;
        let options = Options {
            data,
            database_url,
            database_password_file,
            database_pool_size,
            database_statement_timeout,
            database_lock_timeout,
            ..Options::default()
        };
        options.over(Options { ephemeral: None, ..Options::read(&file)? }).place()
    }
}

/// Which data folder an operator's command works on, when it works on nothing else.
#[derive(Args, Clone, Debug, Default)]
pub struct FolderOptions {
    /// The data folder, of a running server or not [default: ./cusp-data]
    #[arg(long, env = "CUSP_DATA", value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Not for this command
    #[arg(long, env = "CUSP_DATABASE_URL", value_name = "URL", hide = true, hide_env_values = true)]
    database_url: Option<Secret>,
    #[command(flatten)]
    file: FileOption,
}

impl FolderOptions {
    /// The data folder that flag, environment, file or default give; records in a database are for `instead`.
    pub fn folder(self, instead: &str) -> Result<PathBuf, ConfigError> {
        let FolderOptions { data, database_url, file } = self;
        let options = Options { data, database_url, ..Options::default() };
        let options = options.over(Options { ephemeral: None, ..Options::read(&file)? });
        match (options.database_url, options.data) {
            (Some(_), _) => Err(ConfigError(format!(
                "this command is for a data folder, and the records are in a database: {instead}; \
                 --data names a folder all the same"
            ))),
            (None, Some(folder)) => Ok(folder),
            (None, None) => Ok(Settings::new(Openness::Serve).data),
        }
    }
}

impl Options {
    fn place(self) -> Result<Place, ConfigError> {
        Ok(match self.database()? {
            Some(database) => Place::Database(database),
            None => Place::Folder(self.data.unwrap_or_else(|| Settings::new(Openness::Serve).data)),
        })
    }

    /// The database that records are kept in, as far as its options may go together with each other and the rest.
    pub(super) fn database(&self) -> Result<Option<Database>, ConfigError> {
        let refuse = |text: String| Err(ConfigError(text));
        let Some(Secret(url)) = &self.database_url else {
            let alone = [
                ("password-file", self.database_password_file.is_some()),
                ("pool-size", self.database_pool_size.is_some()),
                ("statement-timeout", self.database_statement_timeout.is_some()),
                ("lock-timeout", self.database_lock_timeout.is_some()),
            ];
            return match alone.into_iter().find(|(_, given)| *given) {
                Some((name, _)) => refuse(format!("--database-{name} says nothing without --database-url")),
                None => Ok(None),
            };
        };
        for (name, given) in [("data", self.data.is_some()), ("ephemeral", self.ephemeral == Some(true))] {
            if given {
                return refuse(format!(
                    "--database-url and --{name} exclude each other: records are kept in the database, or they are not"
                ));
            }
        }
        let defaults = Database::new(url);
        let span = |name: &str, given: Option<Span>, default| match given {
            Some(Span(span)) if span.is_zero() => {
                Err(ConfigError(format!("--database-{name} is 0, with which no statement could ever end well")))
            }
            Some(Span(span)) => Ok(span),
            None => Ok(default),
        };
        let size = self.database_pool_size.unwrap_or(defaults.pool_size.get());
        let Some(pool_size) = NonZeroUsize::new(size).filter(|size| size.get() <= MAX_POOL_SIZE) else {
            return refuse(format!("--database-pool-size {size}: expected 1 to {MAX_POOL_SIZE} connections"));
        };
        let database = Database {
            url: defaults.url,
            password_file: self.database_password_file.clone(),
            pool_size,
            statement_timeout: span("statement-timeout", self.database_statement_timeout, defaults.statement_timeout)?,
            lock_timeout: span("lock-timeout", self.database_lock_timeout, defaults.lock_timeout)?,
        };
        postgres::examine(&database).map_err(|reason| ConfigError(format!("--database-url: {reason}")))?;
        Ok(Some(database))
    }

    /// Takes away what `other` says of where records are kept, when something else is said here.
    pub(super) fn silence(&self, other: &mut Options) {
        if self.data.is_some() || self.ephemeral == Some(true) {
            DATABASE.iter().for_each(|option| other.forget(option));
        }
        if self.database_url.is_some() {
            FOLDER.iter().for_each(|option| other.forget(option));
        }
    }
}

/// Options of which some say where records are kept.
pub trait SaysWhere {
    /// Takes one of them back.
    fn forget(&mut self, option: &str);
}

impl SaysWhere for Options {
    fn forget(&mut self, option: &str) {
        match option {
            "data" => self.data = None,
            "ephemeral" => self.ephemeral = None,
            "database_url" => self.database_url = None,
            "database_password_file" => self.database_password_file = None,
            "database_pool_size" => self.database_pool_size = None,
            "database_statement_timeout" => self.database_statement_timeout = None,
            "database_lock_timeout" => self.database_lock_timeout = None,
            _ => {}
        }
    }
}

impl SaysWhere for StoreOptions {
    fn forget(&mut self, option: &str) {
        match option {
            "data" => self.data = None,
            "database_url" => self.database_url = None,
            "database_password_file" => self.database_password_file = None,
            "database_pool_size" => self.database_pool_size = None,
            "database_statement_timeout" => self.database_statement_timeout = None,
            "database_lock_timeout" => self.database_lock_timeout = None,
            _ => {}
        }
    }
}

impl SaysWhere for FolderOptions {
    fn forget(&mut self, option: &str) {
        match option {
            "data" => self.data = None,
            "database_url" => self.database_url = None,
            _ => {}
        }
    }
}

/// Options that flags and the environment gave, where a flag that says where records are kept has silenced what the
/// environment says of it.
#[derive(Clone, Debug, Default)]
pub struct Given<T>(pub T);

impl<T: SaysWhere> Given<T> {
    fn heed(mut options: T, sources: &[(&'static str, Source)]) -> Given<T> {
        let flag =
            |names: &[&str]| sources.iter().any(|(name, source)| names.contains(name) && *source == Source::Flag);
        let (folder, database) = (flag(&FOLDER), flag(&DATABASE[..1]));
        for (name, source) in sources {
            let silenced = if DATABASE.contains(name) { folder } else { database };
            if silenced && *source == Source::Environment {
                options.forget(name);
            }
        }
        Given(options)
    }
}

/// What gave an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Flag,
    Environment,
}

/// What gave each of the options that say where records are kept.
fn sources(matches: &ArgMatches) -> Vec<(&'static str, Source)> {
    // Not every command knows every option, and `--ephemeral=false` does not say where.
    let given = |name: &&str| match *name {
        "ephemeral" => matches!(matches.try_get_one("ephemeral"), Ok(Some(true))),
        name => matches.try_contains_id(name).unwrap_or(false),
    };
    let source = |name| match matches.value_source(name)? {
        ValueSource::CommandLine => Some((name, Source::Flag)),
        ValueSource::EnvVariable => Some((name, Source::Environment)),
        _ => None,
    };
    [&FOLDER[..], &DATABASE].concat().into_iter().filter(given).filter_map(source).collect()
}

impl<T: Args> Args for Given<T>
where
    Given<T>: FromArgMatches,
{
    fn group_id() -> Option<Id> {
        T::group_id()
    }

    fn augment_args(command: Command) -> Command {
        T::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        T::augment_args_for_update(command)
    }
}

impl<T: FromArgMatches + SaysWhere> FromArgMatches for Given<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Given<T>, Error> {
        Given::from_arg_matches_mut(&mut matches.clone())
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Given<T>, Error> {
        let sources = sources(matches);
        Ok(Given::heed(T::from_arg_matches_mut(matches)?, &sources))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.update_from_arg_matches_mut(&mut matches.clone())
    }

    fn update_from_arg_matches_mut(&mut self, matches: &mut ArgMatches) -> Result<(), Error> {
        *self = Given::from_arg_matches_mut(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const URL: &str = "postgres://ada@db/x";

    /// Options as flags give them; the test's environment is not looked at.
    fn options<T: Args + FromArgMatches + SaysWhere>(flags: &[&str]) -> T {
        let matches = T::augment_args(Command::new("cusp"))
            .mut_args(|arg| arg.env(None::<&str>))
            .try_get_matches_from(["cusp"].iter().chain(flags))
            .expect("the flags are right");
        Given::<T>::from_arg_matches(&matches).expect("the flags are right").0
    }

    fn server(flags: &[&str]) -> Result<Settings, ConfigError> {
        options::<Options>(flags).settle(Openness::Serve).map(|(settings, _)| settings)
    }

    fn file(text: &str) -> Options {
        Options::parse(std::path::Path::new("cusp.toml"), text).expect("the file is right")
    }

    #[test]
    fn every_option_of_a_place_can_be_taken_back() {
        let flags = ["--database-password-file=/p", "--database-pool-size=2", "--database-statement-timeout=1s"];
        let flags = [&flags[..], &["--data=/d", "--database-url", URL, "--database-lock-timeout=1s"]].concat();
        let mut all: Options = options(&[&flags[..], &["--ephemeral"]].concat());
        FOLDER.iter().chain(&DATABASE).for_each(|option| all.forget(option));
        assert_eq!(all, Options::default());
        let mut store: StoreOptions = options(&flags);
        FOLDER.iter().chain(&DATABASE).for_each(|option| store.forget(option));
        assert_eq!(format!("{store:?}"), format!("{:?}", StoreOptions::default()));
        let mut folder: FolderOptions = options(&["--data=/d", "--database-url", URL]);
        FOLDER.iter().chain(&DATABASE).for_each(|option| folder.forget(option));
        assert_eq!(format!("{folder:?}"), format!("{:?}", FolderOptions::default()));
    }

    #[test]
    fn a_database_has_its_options() {
        let settings = server(&[
            "--database-url",
            URL,
            "--database-password-file=/run/secret",
            "--database-pool-size=4",
            "--database-statement-timeout=2s",
            "--database-lock-timeout=500ms",
        ])
        .expect("they go together");
        let expected = Database {
            url: URL.into(),
            password_file: Some("/run/secret".into()),
            pool_size: NonZeroUsize::new(4).expect("4 is not 0"),
            statement_timeout: Duration::from_secs(2),
            lock_timeout: Duration::from_millis(500),
        };
        assert_eq!(settings.database, Some(expected));
        assert_eq!(server(&["--database-url", URL]).expect("fine").database, Some(Database::new(URL)));
        assert_eq!(server(&[]).expect("fine").database, None);
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for (flags, reason) in [
            (&["--database-pool-size=4"][..], "--database-pool-size says nothing without --database-url"),
            (&["--database-password-file=/p"], "--database-password-file says nothing"),
            (&["--database-statement-timeout=1s"], "--database-statement-timeout says nothing"),
            (&["--database-lock-timeout=1s", "--data=/d"], "--database-lock-timeout says nothing"),
            (&["--database-url", URL, "--data=/d"], "--database-url and --data exclude each other"),
            (&["--database-url", URL, "--ephemeral"], "--database-url and --ephemeral exclude each other"),
            (&["--database-url", URL, "--database-pool-size=0"], "expected 1 to 1000"),
            (&["--database-url", URL, "--database-pool-size=1001"], "expected 1 to 1000"),
            (&["--database-url", URL, "--database-statement-timeout=0s"], "--database-statement-timeout is 0"),
            (&["--database-url", URL, "--database-lock-timeout=0ms"], "--database-lock-timeout is 0"),
            (&["--database-url", "postgres://ada:sesame@db:x/y"], "--database-url: the database URL does not work"),
            (&["--database-url", "postgres://a:sesame@db/x", "--database-password-file=/p"], "give one of them"),
        ] {
            let refusal = server(flags).expect_err(reason).to_string();
            assert!(refusal.contains(reason) && !refusal.contains("sesame"), "{refusal}");
        }
        server(&["--database-url", URL, "--ephemeral=false"]).expect("a server that keeps something");
    }

    #[test]
    fn a_flag_goes_before_the_file_wherever_each_keeps_records() {
        let in_database = format!("database-url = \"{URL}\"\ndatabase-pool-size = 3");
        let over = |flags: &[&str], text: &str| {
            let options = options::<Options>(flags).over(file(text));
            options.settle(Openness::Serve).expect("one place is left").0
        };
        let folder = over(&["--data=/d"], &in_database);
        assert_eq!((folder.database, folder.data), (None, "/d".into()));
        assert_eq!(over(&["--ephemeral"], &in_database).database, None);
        assert!(over(&["--ephemeral=false"], &in_database).database.is_some());
        assert_eq!(over(&["--database-url", URL], "data = \"/d\"").database, Some(Database::new(URL)));
        let sized = over(&["--database-pool-size=5"], &in_database).database.expect("the file has it");
        assert_eq!(sized.pool_size.get(), 5);
        let both = format!("data = \"/d\"\n{in_database}");
        options::<Options>(&[]).over(file(&both)).settle(Openness::Serve).expect_err("the file says two things");
    }

    #[test]
    fn a_flag_goes_before_the_environment_wherever_each_keeps_records() {
        let all = || Options {
            data: Some("/d".into()),
            database_url: Some(Secret(URL.into())),
            database_pool_size: Some(3),
            ..Options::default()
        };
        let heed = |data, url, size| {
            Given::heed(all(), &[("data", data), ("database_url", url), ("database_pool_size", size)]).0
        };
        let (flag, environment) = (Source::Flag, Source::Environment);
        let folder = heed(flag, environment, environment);
        assert_eq!((folder.data, folder.database_url, folder.database_pool_size), (Some("/d".into()), None, None));
        let database = heed(environment, flag, environment);
        assert_eq!((database.data, database.database_pool_size), (None, Some(3)));
        assert_eq!(heed(environment, environment, flag), all());
        assert_eq!(heed(flag, flag, flag), all());
        // A flag that has no meaning any more is not swallowed.
        assert_eq!(heed(flag, environment, flag).database_pool_size, Some(3));
    }

    #[test]
    fn a_command_works_where_a_server_would() {
        let place = |flags: &[&str]| options::<StoreOptions>(flags).place();
        assert_eq!(place(&[]), Ok(Place::Folder("./cusp-data".into())));
        assert_eq!(place(&["--data=/d"]), Ok(Place::Folder("/d".into())));
        assert_eq!(place(&["--database-url", URL]), Ok(Place::Database(Database::new(URL))));
        place(&["--database-url", URL, "--data=/d"]).expect_err("two places");
    }

    #[test]
    fn a_command_for_a_folder_says_what_is_for_a_database() {
        let folder = |flags: &[&str]| options::<FolderOptions>(flags).folder("use pg_dump");
        assert_eq!(folder(&[]), Ok("./cusp-data".into()));
        assert_eq!(folder(&["--data=/d"]), Ok("/d".into()));
        let refusal = folder(&["--database-url", URL]).expect_err("a database").to_string();
        assert!(refusal.contains("use pg_dump"), "{refusal}");
    }
}
