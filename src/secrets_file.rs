//! Where a server's secrets key comes from: the file that an operator names, else one beside the records, made when there
//! is none. The key itself never leaves this file but as a `SecretsKey`.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::domain::ids::IdSource;
use crate::secrets_key::{KEY_BYTES, SecretsKey};
use crate::settings::{Openness, Settings};

/// The largest file that is read as a key, in bytes.
const MAX_BYTES: u64 = 4_096;

/// The key in the file that the settings name, if they name one.
pub fn given(settings: &Settings) -> Result<Option<SecretsKey>, String> {
    settings.secrets_key_file.as_deref().map(read).transpose()
}

/// The key of a server that was given none and keeps its records in `data`, unless in a database or not at all. `None` for
/// servers that share a database: they have no folder in common where it could be.
pub fn own(settings: &Settings, data: &Path, ids: &dyn IdSource) -> Result<Option<SecretsKey>, String> {
    match (settings.openness, &settings.database) {
        (Openness::Dev, _) => Ok(Some(SecretsKey::for_developers(None))),
        (Openness::Serve, None) if settings.ephemeral => Ok(Some(fresh(ids))),
        (Openness::Serve, None) => read_or_make(&beside(data), ids).map(Some),
        (Openness::Serve, Some(_)) => Ok(None),
    }
}

fn fresh(ids: &dyn IdSource) -> SecretsKey {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    ids.random(&mut *bytes);
    SecretsKey::new(*bytes)
}

/// The file of the key beside the records in a data folder.
pub fn beside(data: &Path) -> PathBuf {
    data.join("secrets.key")
}

fn read_or_make(path: &Path, ids: &dyn IdSource) -> Result<SecretsKey, String> {
    if !path.exists() {
        match make(path, ids) {
            // Somebody else has made one meanwhile: that one counts.
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
            made => made.map_err(|cause| format!("cannot make the secrets key file {}: {cause}", path.display()))?,
        }
    }
    read(path)
}

/// Makes the file with a new key in it, readable by its owner only. It appears under its name when it is whole and on disk.
fn make(path: &Path, ids: &dyn IdSource) -> io::Result<()> {
    let text = fresh(ids).to_hex();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Made with the permissions 0600.
    let mut partial = tempfile::Builder::new().prefix(".secrets.key.").tempfile_in(folder)?;
    partial.write_all(text.as_bytes())?;
    partial.write_all(b"\n")?;
    partial.as_file().sync_all()?;
    partial.persist_noclobber(path)?;
    fs::File::open(folder)?.sync_all()
}

fn read(path: &Path) -> Result<SecretsKey, String> {
    let cannot = |cause: io::Error| format!("cannot read the secrets key file {}: {cause}", path.display());
    let about = fs::metadata(path).map_err(cannot)?;
    if about.permissions().mode() & 0o004 != 0 {
        tracing::warn!("the secrets key file {} can be read by every user of this machine", path.display());
    }
    let text = match about.len() > MAX_BYTES {
        true => Zeroizing::new(Vec::new()),
        false => Zeroizing::new(fs::read(path).map_err(cannot)?),
    };
    std::str::from_utf8(&text).ok().and_then(SecretsKey::parse).ok_or_else(|| {
        format!(
            "the secrets key file {} does not hold a key: expected {KEY_BYTES} random bytes as hexadecimal digits or \
             base64, as `openssl rand -hex {KEY_BYTES}` writes them",
            path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::{beside, given, own};
    use crate::ids::Ids;
    use crate::secrets_key::SecretsKey;
    use crate::settings::{Database, Openness, Settings};

    fn hex(key: Option<SecretsKey>) -> Option<String> {
        key.map(|key| key.to_hex().to_string())
    }

    #[test]
    fn a_data_folder_has_a_key_from_its_first_start_on() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::new(Openness::Serve);
        let start = || hex(own(&settings, folder.path(), &Ids::random()).expect("the folder can be written"));
        let first = start();
        assert!(first.is_some());
        assert_eq!(start(), first);
        let about = fs::metadata(beside(folder.path())).unwrap();
        assert_eq!(about.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
        fs::remove_file(beside(folder.path())).unwrap();
        assert_ne!(start(), first);
    }

    #[test]
    fn servers_that_start_at_once_have_one_key() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::new(Openness::Serve);
        let start = || hex(own(&settings, folder.path(), &Ids::random()).expect("the folder can be written"));
        let keys: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{keys:?}");
    }

    #[test]
    fn a_file_that_is_named_is_what_counts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        fs::write(&file, "07".repeat(32)).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        let settings = Settings { secrets_key_file: Some(file), ..Settings::new(Openness::Serve) };
        assert_eq!(hex(given(&settings).expect("the file is right")), Some("07".repeat(32)));
        assert_eq!(hex(given(&Settings::new(Openness::Serve)).expect("nothing is read")), None);
        assert!(!beside(folder.path()).exists());
    }

    #[test]
    fn a_file_without_a_key_is_refused_by_its_name_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let settings = Settings { secrets_key_file: Some(file.clone()), ..Settings::new(Openness::Serve) };
        let refusal = || given(&settings).err().expect("no key");
        assert!(refusal().starts_with("cannot read the secrets key file"), "{}", refusal());
        for text in [b"sesame".to_vec(), b"\xff".repeat(64), b"07".repeat(4_096), Vec::new()] {
            fs::write(&file, text).unwrap();
            let refusal = refusal();
            assert!(refusal.contains("does not hold a key") && !refusal.contains("sesame"), "{refusal}");
        }
    }

    #[test]
    fn nobody_makes_a_key_that_servers_on_other_machines_would_not_have() {
        let folder = tempfile::tempdir().unwrap();
        let database = || Some(Database::new("postgres://db/x"));
        let key = |openness| {
            let settings = Settings { database: database(), ..Settings::new(openness) };
            hex(own(&settings, folder.path(), &Ids::seeded(1)).expect("nothing is read"))
        };
        assert_eq!(key(Openness::Serve), None);
        assert_eq!(key(Openness::Dev), hex(Some(SecretsKey::for_developers(None))));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
