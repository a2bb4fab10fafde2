//! Where settings come from: a flag, else an environment variable, else the TOML file, else the default. One struct is
//! read by all three, so an option cannot be called one thing here and another there.

mod doors;
mod ends;
mod place;
mod values;
mod webhooks;

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::BoolishValueParser;
use serde::Deserialize;

use crate::settings::{Language, Openness, Settings};
use crate::telemetry::{Level, LogFormat, LogSettings};
pub use ends::CopyEnds;
pub use place::{FolderOptions, Given, Place, StoreOptions};
use values::duration;
pub use values::{Endpoint, HostName, Secret, Span};
pub use webhooks::{LongSpan, Net};

/// The options of a server, each of which a flag, an environment variable and the file may give.
#[derive(Args, Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Where clients come in [default: 127.0.0.1:12111]
    #[arg(long, env = "CUSP_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<Endpoint>,
    /// Where /healthz, /readyz and /metrics are [default: 127.0.0.1:12112 in serve, the main address in dev]
    #[arg(long, env = "CUSP_ADMIN_LISTEN", value_name = "ADDRESS:PORT")]
    pub admin_listen: Option<Endpoint>,
    /// A host name at which all that is asked is for Stripe's API
    #[arg(long, env = "CUSP_STRIPE_HOST", value_name = "NAME")]
    pub stripe_host: Option<HostName>,
    /// The same for FlexPortal's
    #[arg(long, env = "CUSP_FLEXPORTAL_HOST", value_name = "NAME")]
    pub flexportal_host: Option<HostName>,
    /// The same for Jani's
    #[arg(long, env = "CUSP_JANI_HOST", value_name = "NAME")]
    pub jani_host: Option<HostName>,
    /// A further address, at which all that is asked is for Stripe's API
    #[arg(long, env = "CUSP_STRIPE_LISTEN", value_name = "ADDRESS:PORT")]
    pub stripe_listen: Option<Endpoint>,
    /// The same for FlexPortal's
    #[arg(long, env = "CUSP_FLEXPORTAL_LISTEN", value_name = "ADDRESS:PORT")]
    pub flexportal_listen: Option<Endpoint>,
    /// The same for Jani's
    #[arg(long, env = "CUSP_JANI_LISTEN", value_name = "ADDRESS:PORT")]
    pub jani_listen: Option<Endpoint>,
    /// An API that is not served: stripe, flexportal or jani (several: repeat it, or commas)
    #[arg(long, env = "CUSP_WITHOUT", value_name = "API", value_delimiter = ',', hide_possible_values = true)]
    pub without: Option<Vec<Language>>,
    /// Have Jani's API take countries by name, as the samples of its documents write them
    #[arg(long, env = "CUSP_JANI_LENIENT", value_name = "true|false", value_parser = BoolishValueParser::new(),
        num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    pub jani_lenient: Option<bool>,
    /// The folder that everything is kept in [default: ./cusp-data]
    #[arg(long, env = "CUSP_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Keep everything in this PostgreSQL database instead: postgres://user@host:5432/name
    #[arg(long, env = "CUSP_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<Secret>,
    /// A file that holds the database's password
    #[arg(long, env = "CUSP_DATABASE_PASSWORD_FILE", value_name = "FILE")]
    pub database_password_file: Option<PathBuf>,
    /// The most connections to the database at a time [default: 16]
    #[arg(long, env = "CUSP_DATABASE_POOL_SIZE", value_name = "NUMBER")]
    pub database_pool_size: Option<usize>,
    /// How long the database may work on one statement [default: 10s]
    #[arg(long, env = "CUSP_DATABASE_STATEMENT_TIMEOUT", value_name = "DURATION")]
    pub database_statement_timeout: Option<Span>,
    /// How long a statement may wait for a lock [default: 5s]
    #[arg(long, env = "CUSP_DATABASE_LOCK_TIMEOUT", value_name = "DURATION")]
    pub database_lock_timeout: Option<Span>,
    /// Keep nothing: hold everything in memory until the end
    #[arg(long, env = "CUSP_EPHEMERAL", value_name = "true|false", value_parser = BoolishValueParser::new(),
        num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    pub ephemeral: Option<bool>,
    /// In dev, with --ephemeral: the same ids, secrets and fingerprints in every run with this number
    #[arg(long, env = "CUSP_SEED", value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// In dev: begin with the records of this file; may be given again for others
    #[arg(long, env = "CUSP_LOAD", value_name = "FILE")]
    pub load: Option<Vec<PathBuf>>,
    /// In dev: the key of the sandbox that --load is for [default: sk_test_me]
    #[arg(long, env = "CUSP_LOAD_KEY", value_name = "KEY")]
    pub load_key: Option<String>,
    /// Requests a second that one account in one mode may make; 0 for no limit [default: 0]
    #[arg(long, env = "CUSP_RATE_LIMIT", value_name = "NUMBER")]
    pub rate_limit: Option<u32>,
    /// The largest request body, in bytes [default: 1048576]
    #[arg(long, env = "CUSP_MAX_BODY_BYTES", value_name = "NUMBER")]
    pub max_body_bytes: Option<usize>,
    /// The most connections at a time; further ones wait [default: 16384]
    #[arg(long, env = "CUSP_MAX_CONNECTIONS", value_name = "NUMBER")]
    pub max_connections: Option<usize>,
    /// How long a client may take to send the head of a request, idling before it included [default: 60s]
    #[arg(long, env = "CUSP_HEAD_TIMEOUT", value_name = "DURATION")]
    pub head_timeout: Option<Span>,
    /// How long a request may take from its head to its reply [default: 30s]
    #[arg(long, env = "CUSP_REQUEST_TIMEOUT", value_name = "DURATION")]
    pub request_timeout: Option<Span>,
    /// How long requests in flight may go on once the server is told to stop [default: 10s]
    #[arg(long, env = "CUSP_DRAIN_TIMEOUT", value_name = "DURATION")]
    pub drain_timeout: Option<Span>,
    /// How long one attempt to send a webhook may take, reading the answer included [default: 10s]
    #[arg(long, env = "CUSP_WEBHOOK_TIMEOUT", value_name = "DURATION")]
    pub webhook_timeout: Option<Span>,
    /// How long after its first failure a webhook is sent again; later waits are longer [default: 10s in serve, 200ms in dev]
    #[arg(long, env = "CUSP_WEBHOOK_FIRST_RETRY", value_name = "DURATION")]
    pub webhook_first_retry: Option<Span>,
    /// How long after its event a webhook is given up [default: 3d in serve, 20s in dev]
    #[arg(long, env = "CUSP_WEBHOOK_GIVE_UP_AFTER", value_name = "DURATION")]
    pub webhook_give_up_after: Option<LongSpan>,
    /// How long a webhook endpoint may only fail until it is disabled; 0s for any time [default: 4d in serve, 0s in dev]
    #[arg(long, env = "CUSP_WEBHOOK_DISABLE_AFTER", value_name = "DURATION")]
    pub webhook_disable_after: Option<LongSpan>,
    /// A network that webhooks of `cusp serve` may go to although it is not public: 10.1.0.0/16 (several: repeat it, or commas)
    #[arg(long, env = "CUSP_WEBHOOK_ALLOW", value_name = "NETWORK", value_delimiter = ',')]
    pub webhook_allow: Option<Vec<Net>>,
    /// A PEM file with the certificates to trust receivers of webhooks by, instead of the system's
    #[arg(long, env = "CUSP_WEBHOOK_CA_FILE", value_name = "FILE")]
    pub webhook_ca_file: Option<PathBuf>,
    /// A file with the key that secrets of webhook endpoints come from [default: secrets.key in the data folder of serve]
    #[arg(long, env = "CUSP_SECRETS_KEY_FILE", value_name = "FILE")]
    pub secrets_key_file: Option<PathBuf>,
    /// Have `cusp dev` duplicate, delay and reorder webhooks on purpose, the same for the same number
    #[arg(long, env = "CUSP_CHAOS", value_name = "SEED")]
    pub chaos: Option<u64>,
    /// Log lines for people (text) or for programs (json) [default: text]
    #[arg(long, env = "CUSP_LOG_FORMAT", value_name = "text|json", hide_possible_values = true)]
    pub log_format: Option<LogFormat>,
    /// The least that is logged: error, warn, info (one line a request), debug or trace [default: info]
    #[arg(long, env = "CUSP_LOG_LEVEL", value_name = "LEVEL", hide_possible_values = true)]
    pub log_level: Option<Level>,
}

/// Where the file is. It is the one thing that the file itself cannot say.
#[derive(Args, Clone, Debug, Default)]
pub struct FileOption {
    /// A TOML file of options, named as the flags are: listen = "127.0.0.1:12111"
    #[arg(long, env = "CUSP_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl Options {
    /// What the file says; nothing when there is no file to read.
    pub fn read(file: &FileOption) -> Result<Options, ConfigError> {
        let Some(path) = &file.config else { return Ok(Options::default()) };
        let text = std::fs::read_to_string(path)
            .map_err(|cause| ConfigError(format!("cannot read the file {}: {cause}", path.display())))?;
        Options::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Options, ConfigError> {
        toml::from_str(text).map_err(|cause: toml::de::Error| {
            // The whole error shows the line, and that line may hold a password.
            let shown = match cause.span().is_some_and(|span| line_at(text, span.start).contains("database-url")) {
                true => cause.message().to_owned(),
                false => cause.to_string(),
            };
            ConfigError(format!("the file {} does not make sense:\n{}", path.display(), shown.trim_end()))
        })
    }

    /// What is given here and, where nothing is, what is given in `other`. Where records are kept is one question, and who
    /// goes first answers it alone.
    pub fn over(self, mut other: Options) -> Options {
        self.silence(&mut other);
        let Options {
            listen,
            admin_listen,
            stripe_host,
            flexportal_host,
            jani_host,
            stripe_listen,
            flexportal_listen,
            jani_listen,
            without,
            jani_lenient,
            data,
            database_url,
            database_password_file,
            database_pool_size,
            database_statement_timeout,
            database_lock_timeout,
            ephemeral,
            seed,
            load,
            load_key,
            rate_limit,
            max_body_bytes,
            max_connections,
            head_timeout,
            request_timeout,
            drain_timeout,
            webhook_timeout,
            webhook_first_retry,
            webhook_give_up_after,
            webhook_disable_after,
            webhook_allow,
            webhook_ca_file,
            secrets_key_file,
            chaos,
            log_format,
            log_level,
        } = self;
        Options {
            listen: listen.or(other.listen),
            admin_listen: admin_listen.or(other.admin_listen),
            stripe_host: stripe_host.or(other.stripe_host),
            flexportal_host: flexportal_host.or(other.flexportal_host),
            jani_host: jani_host.or(other.jani_host),
            stripe_listen: stripe_listen.or(other.stripe_listen),
            flexportal_listen: flexportal_listen.or(other.flexportal_listen),
            jani_listen: jani_listen.or(other.jani_listen),
            without: without.or(other.without),
            jani_lenient: jani_lenient.or(other.jani_lenient),
            data: data.or(other.data),
            database_url: database_url.or(other.database_url),
            database_password_file: database_password_file.or(other.database_password_file),
            database_pool_size: database_pool_size.or(other.database_pool_size),
            database_statement_timeout: database_statement_timeout.or(other.database_statement_timeout),
            database_lock_timeout: database_lock_timeout.or(other.database_lock_timeout),
            ephemeral: ephemeral.or(other.ephemeral),
            seed: seed.or(other.seed),
            load: load.or(other.load),
            load_key: load_key.or(other.load_key),
            rate_limit: rate_limit.or(other.rate_limit),
            max_body_bytes: max_body_bytes.or(other.max_body_bytes),
            max_connections: max_connections.or(other.max_connections),
            head_timeout: head_timeout.or(other.head_timeout),
            request_timeout: request_timeout.or(other.request_timeout),
            drain_timeout: drain_timeout.or(other.drain_timeout),
            webhook_timeout: webhook_timeout.or(other.webhook_timeout),
            webhook_first_retry: webhook_first_retry.or(other.webhook_first_retry),
            webhook_give_up_after: webhook_give_up_after.or(other.webhook_give_up_after),
            webhook_disable_after: webhook_disable_after.or(other.webhook_disable_after),
            webhook_allow: webhook_allow.or(other.webhook_allow),
            webhook_ca_file: webhook_ca_file.or(other.webhook_ca_file),
            secrets_key_file: secrets_key_file.or(other.secrets_key_file),
            chaos: chaos.or(other.chaos),
            log_format: log_format.or(other.log_format),
            log_level: log_level.or(other.log_level),
        }
    }

    /// These options over the defaults, as far as they may go together.
    pub fn settle(self, openness: Openness) -> Result<(Settings, LogSettings), ConfigError> {
        let database = self.database()?;
        let webhooks = self.webhooks(openness)?;
        let doors = self.doors()?;
        let Options {
            listen,
            admin_listen,
            stripe_host: _,
            flexportal_host: _,
            jani_host: _,
            stripe_listen: _,
            flexportal_listen: _,
            jani_listen: _,
            without: _,
            jani_lenient,
            data,
            database_url: _,
            database_password_file: _,
            database_pool_size: _,
            database_statement_timeout: _,
            database_lock_timeout: _,
            ephemeral,
            seed,
            load,
            load_key,
            rate_limit,
            max_body_bytes,
            max_connections,
            head_timeout,
            request_timeout,
            drain_timeout,
            webhook_timeout: _,
            webhook_first_retry: _,
            webhook_give_up_after: _,
            webhook_disable_after: _,
            webhook_allow: _,
            webhook_ca_file: _,
            chaos: _,
            secrets_key_file,
            log_format,
            log_level,
        } = self;
        let defaults = Settings::new(openness);
        let settings = Settings {
            openness,
            listen: listen.map_or(defaults.listen, |endpoint| endpoint.0),
            admin_listen: admin_listen.map(|endpoint| endpoint.0).or(defaults.admin_listen),
            doors,
            jani_lenient: jani_lenient.unwrap_or(defaults.jani_lenient),
            data: data.unwrap_or(defaults.data),
            database,
            ephemeral: ephemeral.unwrap_or(defaults.ephemeral),
            seed,
            load: load.unwrap_or(defaults.load),
            load_key: load_key.unwrap_or(defaults.load_key),
            rate_limit: rate_limit.map_or(defaults.rate_limit, NonZeroU32::new),
            max_body_bytes: max_body_bytes.unwrap_or(defaults.max_body_bytes),
            max_connections: max_connections.unwrap_or(defaults.max_connections),
            head_timeout: head_timeout.map_or(defaults.head_timeout, |span| span.0),
            request_timeout: request_timeout.map_or(defaults.request_timeout, |span| span.0),
            drain_timeout: drain_timeout.map_or(defaults.drain_timeout, |span| span.0),
            webhooks,
            secrets_key_file,
        };
        check(&settings)?;
        let log = LogSettings { format: log_format.unwrap_or_default(), level: log_level.unwrap_or_default() };
        Ok((settings, log))
    }
}

fn check(settings: &Settings) -> Result<(), ConfigError> {
    let refuse = |text: String| Err(ConfigError(text));
    if settings.openness == Openness::Dev {
        for (name, address) in listened_on(settings) {
            if !address.ip().is_loopback() {
                return refuse(format!(
                    "--{name} {address}: `cusp dev` lets any key in, so it only listens on this machine \
                     (127.0.0.1 or [::1]); use `cusp serve` to be reached from others"
                ));
            }
        }
    }
    if settings.seed.is_some() {
        if settings.openness == Openness::Serve {
            return refuse("--seed makes ids that can be foretold, which is for `cusp dev` only".to_owned());
        }
        if settings.database.is_some() || !settings.ephemeral {
            return refuse(
                "--seed begins again with the same ids in every run, so it only goes with a server that keeps nothing: \
                 add --ephemeral"
                    .to_owned(),
            );
        }
    }
    if settings.openness == Openness::Serve && !settings.load.is_empty() {
        return refuse("--load brings in records for tests, which is for `cusp dev` only".to_owned());
    }
    // Port 0 asks the system for a free port, each time another one.
    let addresses: Vec<_> = listened_on(settings).into_iter().filter(|(_, address)| address.port() != 0).collect();
    for (place, (name, address)) in addresses.iter().enumerate() {
        if let Some((earlier, _)) = addresses[..place].iter().find(|(_, other)| other == address) {
            return refuse(format!("--{earlier} and --{name} are both {address}; give each its own"));
        }
    }
    for (name, zero) in [
        ("max-body-bytes", settings.max_body_bytes == 0),
        ("max-connections", settings.max_connections == 0),
        ("head-timeout", settings.head_timeout.is_zero()),
        ("request-timeout", settings.request_timeout.is_zero()),
    ] {
        if zero {
            return refuse(format!("--{name} is 0, with which no request could ever be answered"));
        }
    }
    Ok(())
}

/// The options that name addresses, and the addresses.
fn listened_on(settings: &Settings) -> Vec<(String, SocketAddr)> {
    let own = settings.doors.listeners.iter().map(|(language, at)| (format!("{}-listen", language.as_str()), *at));
    let admin = settings.admin_listen.map(|at| ("admin-listen".to_owned(), at));
    [("listen".to_owned(), settings.listen)].into_iter().chain(admin).chain(own).collect()
}

/// The line of the text that the byte at `place` is in.
fn line_at(text: &str, place: usize) -> &str {
    let (before, after) = text.split_at(place);
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let end = after.find('\n').map_or(text.len(), |end| place + end);
    &text[start..end]
}

/// Why the options were refused, in a sentence for the operator.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError(pub String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for ConfigError {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::time::Duration;

    use clap::{Args, Command, FromArgMatches, ValueEnum};

    use super::*;
    use crate::settings::Database;

    fn command() -> Command {
        Options::augment_args(Command::new("cusp"))
    }

    pub(super) fn flags(flags: &[&str]) -> Options {
        let matches = command()
            .mut_args(|arg| arg.env(None::<&str>))
            .try_get_matches_from(["cusp"].iter().chain(flags))
            .expect("the flags are right");
        Options::from_arg_matches(&matches).expect("the flags are right")
    }

    pub(super) fn file(text: &str) -> Options {
        Options::parse(Path::new("cusp.toml"), text).expect("the file is right")
    }

    fn refused(text: &str) -> String {
        Options::parse(Path::new("cusp.toml"), text).expect_err("the file is wrong").to_string()
    }

    #[test]
    fn flags_variables_and_file_use_the_same_names() {
        let flags: BTreeSet<String> =
            command().get_arguments().filter_map(|arg| arg.get_long()).map(String::from).collect();
        let variables: BTreeSet<String> = command()
            .get_arguments()
            .filter_map(|arg| arg.get_env()?.to_str()?.strip_prefix("CUSP_"))
            .map(|name| name.to_lowercase().replace('_', "-"))
            .collect();
        // A refusal lists every name that the file may hold.
        let refusal = refused("no-such-option = 1");
        let known = refusal.split("expected one of ").nth(1).expect("the refusal lists the names");
        let keys: BTreeSet<String> =
            known.lines().next().unwrap_or_default().split(", ").map(|name| name.trim_matches('`').into()).collect();
        assert_eq!(flags, variables);
        assert_eq!(flags, keys);
        assert_eq!(flags.len(), 36);
    }

    #[test]
    fn the_help_tells_the_defaults_that_hold() {
        let mut command = command().term_width(400);
        let help = command.render_long_help().to_string();
        let settings = Settings::new(Openness::Serve);
        let database = Database::new("postgres://db/x");
        let seconds = |span: Duration| format!("{}s", span.as_secs());
        let days = |span: Duration| format!("{}d", span.as_secs() / (24 * 3600));
        for (flag, default) in [
            ("listen", settings.listen.to_string()),
            ("admin-listen", settings.admin_listen.expect("serve has one").to_string()),
            ("data", settings.data.display().to_string()),
            ("database-pool-size", database.pool_size.to_string()),
            ("database-statement-timeout", seconds(database.statement_timeout)),
            ("database-lock-timeout", seconds(database.lock_timeout)),
            ("load-key", settings.load_key.clone()),
            ("rate-limit", settings.rate_limit.map_or(0, NonZeroU32::get).to_string()),
            ("max-body-bytes", settings.max_body_bytes.to_string()),
            ("max-connections", settings.max_connections.to_string()),
            ("head-timeout", seconds(settings.head_timeout)),
            ("request-timeout", seconds(settings.request_timeout)),
            ("drain-timeout", seconds(settings.drain_timeout)),
            ("webhook-timeout", seconds(settings.webhooks.timeout)),
            ("webhook-first-retry", seconds(settings.webhooks.first_retry)),
            ("webhook-give-up-after", days(settings.webhooks.give_up_after)),
            ("webhook-disable-after", days(settings.webhooks.disable_after.expect("serve has one"))),
            ("log-format", name_of(LogFormat::default())),
            ("log-level", name_of(Level::default())),
        ] {
            let told = help.split(&format!("--{flag} ")).nth(1).expect(flag);
            let told = told.split("[default: ").nth(1).expect(flag).split([']', ' ']).next();
            assert_eq!(told, Some(default.as_str()), "--{flag}");
        }
    }

    fn name_of(value: impl ValueEnum) -> String {
        value.to_possible_value().expect("no value is hidden").get_name().to_string()
    }

    #[test]
    fn a_flag_goes_before_the_file_and_the_file_before_the_default() {
        let options = flags(&["--rate-limit", "5", "--log-format=json"])
            .over(file("rate-limit = 9\nlisten = \"localhost:9\"\nhead-timeout = \"500ms\""));
        let (settings, log) = options.settle(Openness::Serve).expect("the options are right");
        assert_eq!(settings.rate_limit, NonZeroU32::new(5));
        assert_eq!(settings.listen.to_string(), "127.0.0.1:9");
        assert_eq!(settings.head_timeout, Duration::from_millis(500));
        assert_eq!(settings.request_timeout, Settings::new(Openness::Serve).request_timeout);
        assert_eq!(log.format, LogFormat::Json);
    }

    #[test]
    fn a_flag_can_take_back_what_the_file_says() {
        let options = flags(&["--ephemeral=false", "--rate-limit=0"]).over(file("ephemeral = true\nrate-limit = 9"));
        let (settings, _) = options.settle(Openness::Dev).expect("the options are right");
        assert!(!settings.ephemeral);
        assert_eq!(settings.rate_limit, None);
        assert_eq!(flags(&["--ephemeral"]).ephemeral, Some(true));
    }

    #[test]
    fn nothing_given_is_the_default() {
        assert_eq!(flags(&[]), Options::default());
        let (settings, log) = Options::default().settle(Openness::Serve).expect("the defaults are right");
        assert_eq!(format!("{settings:?}"), format!("{:?}", Settings::new(Openness::Serve)));
        assert_eq!(log, LogSettings { format: LogFormat::Text, level: Level::Info });
    }

    #[test]
    fn an_unknown_key_in_the_file_is_refused_by_name() {
        let refusal = refused("lisen = \"127.0.0.1:1\"");
        assert!(refusal.contains("cusp.toml") && refusal.contains("unknown field `lisen`"), "{refusal}");
    }

    #[test]
    fn a_wrong_value_in_the_file_is_refused_with_the_rule() {
        assert!(refused("listen = \"here\"").contains("expected an IP address and a port"));
        assert!(refused("head-timeout = \"soon\"").contains("expected a whole number and a unit"));
        assert!(refused("log-level = \"loud\"").contains("`loud` is not one of error, warn, info, debug, trace"));
        assert!(refused("log-format = \"xml\"").contains("`xml` is not one of text, json"));
    }

    #[test]
    fn a_password_in_the_file_is_not_shown() {
        for wrong in ["database-url = \"postgres://ada:sesame@db/x", "database-url = [\"postgres://ada:sesame@db/x\"]"]
        {
            let refusal = refused(&format!("rate-limit = 5\n{wrong}\nlisten = \"localhost:9\""));
            assert!(refusal.contains("cusp.toml") && !refusal.contains("sesame"), "{refusal}");
        }
        let options = file("database-url = \"postgres://ada:sesame@db/x\"");
        assert!(!format!("{options:?}").contains("sesame"));
    }

    #[test]
    fn dev_refuses_to_be_reached_from_other_machines() {
        for (flag, address) in
            [("--listen", "0.0.0.0:1"), ("--admin-listen", "[2001:db8::1]:2"), ("--listen", "[::]:1")]
        {
            let refusal = flags(&[flag, address]).settle(Openness::Dev).expect_err("not loopback").to_string();
            assert!(refusal.starts_with(&format!("{flag} {address}: ")), "{refusal}");
            assert!(refusal.contains("use `cusp serve`"), "{refusal}");
            flags(&[flag, address]).settle(Openness::Serve).expect("serve may");
        }
        flags(&["--listen", "[::1]:1"]).settle(Openness::Dev).expect("loopback is fine");
    }

    #[test]
    fn a_seed_is_for_servers_that_keep_nothing() {
        let refused = |given: &[&str], openness| flags(given).settle(openness).expect_err("it is refused").to_string();
        assert!(refused(&["--seed=7"], Openness::Serve).contains("`cusp dev`"));
        assert!(refused(&["--seed=7", "--data=here"], Openness::Dev).contains("keeps nothing"));
        assert!(refused(&["--seed=7", "--database-url=postgres://db/x"], Openness::Dev).contains("keeps nothing"));
        let (settings, _) = flags(&["--seed=7", "--ephemeral"]).settle(Openness::Dev).expect("it may");
        assert_eq!(settings.seed, Some(7));
    }

    #[test]
    fn records_for_tests_are_for_dev() {
        let options = || flags(&["--load=a.jsonl", "--load=b.json", "--load-key=sk_test_b"]);
        let (settings, _) = options().settle(Openness::Dev).expect("dev may");
        assert_eq!(settings.load, [PathBuf::from("a.jsonl"), PathBuf::from("b.json")]);
        assert_eq!(settings.load_key, "sk_test_b");
        let refusal = options().settle(Openness::Serve).expect_err("serve may not").to_string();
        assert!(refusal.contains("`cusp dev`"), "{refusal}");
        assert_eq!(file("load = [\"a\", \"b\"]").load.map(|files| files.len()), Some(2));
    }

    #[test]
    fn options_that_cannot_work_are_refused() {
        for wrong in [
            &["--listen=127.0.0.1:5", "--admin-listen=127.0.0.1:5"][..],
            &["--max-connections=0"],
            &["--max-body-bytes=0"],
            &["--head-timeout=0s"],
            &["--request-timeout=0ms"],
        ] {
            flags(wrong).settle(Openness::Serve).expect_err(wrong[0]);
        }
        flags(&["--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--drain-timeout=0s"])
            .settle(Openness::Serve)
            .expect("free ports differ, and stopping at once is a wish");
    }

    #[test]
    fn spans_are_read_as_people_write_them() {
        for (text, millis) in [("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("24h", 86_400_000), ("0s", 0)] {
            assert_eq!(text.parse(), Ok(Span(Duration::from_millis(millis))), "{text}");
        }
        for text in ["", "30", "s", "-1s", "1.5s", "25h", "1 s", "99999999999999999999s", "18446744073709551615h", "1d"]
        {
            text.parse::<Span>().expect_err(text);
        }
    }
}
