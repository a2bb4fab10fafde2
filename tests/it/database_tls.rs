//! Encrypted connections to a real server: who is believed, who is not, and what is shown in return.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use cusp::settings;
use cusp::store::postgres::connect::Pool;
use cusp::store::{Failure, Outlook};
use tempfile::TempDir;

use crate::certificates::{authority, certificate};
use crate::cluster::Cluster;
use crate::database::{ask, pool, run};
use crate::postgres::query;

/// The name that the server's certificate is for.
const NAME: &str = "db.test";

/// A server with a certificate. Its databases: `encrypted` lets in who comes encrypted, `certified` who shows a certificate
/// as well, `secret` who knows the password. Only `postgres` may be spoken to in plain text.
struct Server {
    cluster: Cluster,
    folder: TempDir,
}

impl Server {
    fn start() -> Server {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = |name: &str| folder.path().join(name);
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("it is ours");
        authority(folder.path(), "ca");
        authority(folder.path(), "stranger");
        certificate(folder.path(), "server", NAME);
        certificate(folder.path(), "client", "cusp");
        own(&path("server.key"));
        let rules = "hostssl encrypted all 127.0.0.1/32 trust\n\
                     hostssl certified all 127.0.0.1/32 cert\n\
                     hostssl secret all 127.0.0.1/32 scram-sha-256\n\
                     hostnossl postgres all 127.0.0.1/32 trust\n";
        fs::write(path("hba.conf"), rules).expect("the folder takes a file");
        let setting = |name: &str, file: &str| format!("{name} = '{}'", path(file).display());
        let settings = [
            "ssl = on".to_owned(),
            setting("ssl_cert_file", "server.pem"),
            setting("ssl_key_file", "server.key"),
            setting("ssl_ca_file", "ca.pem"),
            setting("hba_file", "hba.conf"),
        ];
        let cluster = Cluster::start(&settings.each_ref().map(String::as_str));
        for sql in [
            "create database encrypted",
            "create database certified",
            "create database secret",
            "alter role cusp password 'sesame'",
        ] {
            query(&cluster.url("postgres"), sql).unwrap_or_else(|trouble| panic!("{trouble}"));
        }
        Server { cluster, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A URL that comes to it by `name`.
    fn url(&self, database: &str, name: &str, parameters: &str) -> String {
        let port = self.cluster.port();
        let parameters = parameters.replace("{folder}", &self.folder.path().display().to_string());
        format!("postgres://cusp@/{database}?host={name}&hostaddr=127.0.0.1&port={port}&{parameters}")
    }

    /// Whether the server says that the connection is encrypted.
    fn connect(&self, database: &str, name: &str, parameters: &str) -> Result<bool, Failure> {
        encrypted(&pool(&self.url(database, name, parameters), 1))
    }

    /// Why a server of ours would not start.
    fn refuse(&self, database: &str, name: &str, parameters: &str) -> String {
        let refusal = self.connect(database, name, parameters).expect_err(parameters);
        assert_eq!(refusal.outlook, Outlook::Broken, "{refusal}");
        refusal.to_string()
    }
}

fn encrypted(pool: &Pool) -> Result<bool, Failure> {
    run(async {
        let connection = pool.first().await?;
        Ok(ask(&connection, "select ssl from pg_stat_ssl where pid = pg_backend_pid()").await == "t")
    })
}

/// Gives a key to whom the server runs as; a key that others can read is refused by it.
fn own(key: &Path) {
    fs::set_permissions(key, Permissions::from_mode(0o600)).expect("it is ours");
    if fs::metadata(key).expect("it was made").uid() == 0 {
        let users = fs::read_to_string("/etc/passwd").expect("the list of users can be read");
        let line = users.lines().find(|line| line.starts_with("postgres:")).expect("there is a user postgres");
        let user = line.split(':').nth(2).and_then(|number| number.parse().ok()).expect("a user has a number");
        chown(key, Some(user), None).expect("root may give a file away");
    }
}

#[test]
fn a_server_is_believed_by_who_signed_for_it_and_by_its_name() {
    let server = Server::start();
    let connect =
        |name, parameters| server.connect("encrypted", name, parameters).map_err(|refusal| refusal.to_string());
    for parameters in [
        "sslmode=verify-full&sslrootcert={folder}/ca.pem",
        "sslmode=require&sslrootcert={folder}/ca.pem",
        "sslrootcert={folder}/ca.pem",
        "sslmode=no-verify",
    ] {
        assert_eq!(connect(NAME, parameters), Ok(true), "{parameters}");
    }
    assert_eq!(connect("other.test", "sslmode=no-verify"), Ok(true));

    let other_name = server.refuse("encrypted", "other.test", "sslrootcert={folder}/ca.pem");
    assert!(other_name.contains("certificate not valid for name \"other.test\""), "{other_name}");
    for parameters in ["sslrootcert={folder}/stranger.pem", "sslmode=verify-full", "sslmode=require"] {
        let stranger = server.refuse("encrypted", NAME, parameters);
        assert!(stranger.contains("invalid peer certificate"), "{parameters}: {stranger}");
    }
    let nobody = Pool::new(&settings::Database::new(server.url("encrypted", NAME, "sslrootcert=/no/such.pem")));
    assert!(nobody.err().expect("there is no file").to_string().contains("/no/such.pem"));
}

#[test]
fn plain_text_is_refused_by_a_server_that_insists() {
    let server = Server::start();
    for parameters in ["sslmode=disable", ""] {
        let refusal = server.refuse("encrypted", NAME, parameters);
        assert!(refusal.contains("FATAL 28000") && refusal.contains("no pg_hba.conf entry"), "{refusal}");
    }
    assert!(!server.connect("postgres", NAME, "sslmode=disable").expect("that is let in"));
}

#[test]
fn a_certificate_is_shown_where_there_is_one() {
    let server = Server::start();
    let shown = "sslrootcert={folder}/ca.pem&sslcert={folder}/client.pem&sslkey={folder}/client.key";
    assert!(server.connect("certified", NAME, shown).expect("it is the user's"));
    let refusal = server.refuse("certified", NAME, "sslrootcert={folder}/ca.pem");
    assert!(refusal.contains("FATAL 28000"), "{refusal}");
}

#[test]
fn a_password_comes_from_a_file_and_is_bound_to_the_channel() {
    let server = Server::start();
    let url = server.url("secret", NAME, "sslrootcert={folder}/ca.pem&channel_binding=require");
    let with = |password: &str| {
        let file = server.path("password");
        fs::write(&file, password).expect("the folder takes a file");
        Pool::new(&settings::Database { password_file: Some(file), ..settings::Database::new(&url) })
    };
    for password in ["sesame", "sesame\n", "sesame\r\n"] {
        assert!(encrypted(&with(password).expect("there is a password")).expect("it is right"));
    }
    let wrong = encrypted(&with("simsim").expect("there is a password")).expect_err("it is wrong");
    assert_eq!(wrong.outlook, Outlook::Broken);
    assert!(wrong.to_string().contains("FATAL 28P01") && !wrong.to_string().contains("simsim"), "{wrong}");
    let empty = with("\n").err().expect("there is none").to_string();
    assert!(empty.contains("is empty"), "{empty}");
    let none = run(pool(&url, 1).first()).err().expect("nobody gave a password");
    assert!(none.outlook == Outlook::Broken && none.to_string().contains("password missing"), "{none}");
}
