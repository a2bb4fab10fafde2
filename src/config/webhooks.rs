//! How webhooks are sent, as options say it.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;

use super::{ConfigError, Options, Span, duration};
use crate::settings::{Openness, Targets, Webhooks};

/// The longest that one attempt may take. As long as it does, nothing later about the same customer goes to that endpoint.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(60);

impl Options {
    /// How webhooks are sent, as far as the options may go together with each other and the mode.
    pub(super) fn webhooks(&self, openness: Openness) -> Result<Webhooks, ConfigError> {
        let refuse = |text: String| Err(ConfigError(text));
        let defaults = Webhooks::new(openness);
        let targets = match (openness, &self.webhook_allow) {
            (_, None) => defaults.targets,
            (Openness::Serve, Some(nets)) => Targets::Public { allowed: nets.iter().map(|net| net.0).collect() },
            (Openness::Dev, Some(_)) => {
                return refuse("--webhook-allow is for `cusp serve`: `cusp dev` sends webhooks to any address".into());
            }
        };
        if openness == Openness::Serve && self.chaos.is_some() {
            return refuse("--chaos is for `cusp dev`: `cusp serve` sends webhooks as well as it can".into());
        }
        let timeout = self.webhook_timeout.map_or(defaults.timeout, |Span(span)| span);
        if timeout.is_zero() || timeout > LONGEST_ATTEMPT {
            return refuse(format!(
                "--webhook-timeout: expected more than 0 and at most {}s for one attempt",
                LONGEST_ATTEMPT.as_secs()
            ));
        }
        let first_retry = self.webhook_first_retry.map_or(defaults.first_retry, |Span(span)| span);
        if first_retry.is_zero() {
            return refuse("--webhook-first-retry is 0, with which a receiver in trouble would get no rest".into());
        }
        let disable_after = match self.webhook_disable_after {
            None => defaults.disable_after,
            Some(LongSpan(span)) => (!span.is_zero()).then_some(span),
        };
        Ok(Webhooks {
            targets,
            ca_file: self.webhook_ca_file.clone(),
            timeout,
            first_retry,
            // Waits never get shorter.
            longest_retry: defaults.longest_retry.max(first_retry),
            give_up_after: self.webhook_give_up_after.map_or(defaults.give_up_after, |LongSpan(span)| span),
            disable_after,
            chaos: self.chaos,
        })
    }
}

/// A stretch of time that may be of days: `30s`, `12h`, `3d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct LongSpan(pub Duration);

/// The longest stretch of days that an option may ask for.
const LONGEST_SPAN: Duration = Duration::from_secs(30 * 24 * 3600);

impl FromStr for LongSpan {
    type Err = String;

    fn from_str(text: &str) -> Result<LongSpan, String> {
        let rule = "expected a whole number and a unit (ms, s, m, h or d), at most 30d, as 12h or 3d";
        duration(text).filter(|span| *span <= LONGEST_SPAN).map(LongSpan).ok_or_else(|| rule.into())
    }
}

impl TryFrom<String> for LongSpan {
    type Error = String;

    fn try_from(text: String) -> Result<LongSpan, String> {
        text.parse().map_err(|rule| format!("`{text}`: {rule}"))
    }
}

/// A network: `10.1.0.0/16`, `fd00::/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Net(pub IpNet);

impl FromStr for Net {
    type Err = String;

    fn from_str(text: &str) -> Result<Net, String> {
        let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
        let net = text.parse::<IpNet>().ok().or_else(one);
        let net = net.ok_or("expected a network or an address, as 10.1.0.0/16, fd00::/8 or 10.1.2.3")?;
        match net.network() {
            IpAddr::V6(network) if network.to_ipv4_mapped().is_some() => {
                Err("write the network of IPv4 addresses without ::ffff:, as 10.1.0.0/16".into())
            }
            _ => Ok(Net(net.trunc())),
        }
    }
}

impl TryFrom<String> for Net {
    type Error = String;

    fn try_from(text: String) -> Result<Net, String> {
        text.parse().map_err(|rule| format!("`{text}`: {rule}"))
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};

    use super::*;

    fn options(flags: &[&str]) -> Options {
        let matches = Options::augment_args(Command::new("cusp"))
            .mut_args(|arg| arg.env(None::<&str>))
            .try_get_matches_from(["cusp"].iter().chain(flags))
            .expect("the flags are right");
        Options::from_arg_matches(&matches).expect("the flags are right")
    }

    fn webhooks(openness: Openness, flags: &[&str]) -> Result<Webhooks, ConfigError> {
        options(flags).settle(openness).map(|(settings, _)| settings.webhooks)
    }

    fn file(text: &str) -> Result<Options, ConfigError> {
        Options::parse(std::path::Path::new("cusp.toml"), text)
    }

    #[test]
    fn webhooks_have_their_options() {
        let flags = [
            "--webhook-timeout=2s",
            "--webhook-first-retry=1m",
            "--webhook-give-up-after=12h",
            "--webhook-disable-after=7d",
            "--webhook-allow=10.1.0.0/16,fd00::/8",
            "--webhook-allow=192.168.0.7",
            "--webhook-ca-file=/ca.pem",
        ];
        let expected = Webhooks {
            targets: Targets::Public {
                allowed: ["10.1.0.0/16", "fd00::/8", "192.168.0.7/32"]
                    .map(|net| net.parse().expect("a network"))
                    .into(),
            },
            ca_file: Some("/ca.pem".into()),
            timeout: Duration::from_secs(2),
            first_retry: Duration::from_secs(60),
            longest_retry: Duration::from_secs(8 * 3600),
            give_up_after: Duration::from_secs(12 * 3600),
            disable_after: Some(Duration::from_secs(7 * 24 * 3600)),
            chaos: None,
        };
        assert_eq!(webhooks(Openness::Serve, &flags), Ok(expected.clone()));
        let text = "webhook-timeout = \"2s\"\nwebhook-first-retry = \"1m\"\nwebhook-give-up-after = \"12h\"\n\
                    webhook-disable-after = \"7d\"\nwebhook-ca-file = \"/ca.pem\"\n\
                    webhook-allow = [\"10.1.0.0/16\", \"fd00::/8\", \"192.168.0.7\"]";
        let from_file = file(text).and_then(|options| options.settle(Openness::Serve));
        assert_eq!(from_file.expect("the file is right").0.webhooks, expected);
        for openness in [Openness::Dev, Openness::Serve] {
            assert_eq!(webhooks(openness, &[]), Ok(Webhooks::new(openness)));
        }
    }

    #[test]
    fn some_are_for_one_mode_only() {
        let chaotic = webhooks(Openness::Dev, &["--chaos=7"]).expect("dev may");
        assert_eq!(chaotic.chaos, Some(7));
        for (openness, flag) in [(Openness::Serve, "--chaos=7"), (Openness::Dev, "--webhook-allow=10.0.0.0/8")] {
            let refusal = webhooks(openness, &[flag]).expect_err(flag).to_string();
            assert!(refusal.contains("is for `cusp "), "{refusal}");
        }
    }

    #[test]
    fn zero_says_never_where_that_makes_sense() {
        let never = webhooks(Openness::Serve, &["--webhook-disable-after=0s", "--webhook-give-up-after=0s"]);
        let never = never.expect("both make sense");
        assert_eq!((never.disable_after, never.give_up_after), (None, Duration::ZERO));
        for wrong in ["--webhook-timeout=0s", "--webhook-timeout=61s", "--webhook-first-retry=0ms"] {
            webhooks(Openness::Serve, &[wrong]).expect_err(wrong);
        }
        let patient = webhooks(Openness::Dev, &["--webhook-first-retry=1m"]).expect("a patient developer");
        assert_eq!(patient.longest_retry, Duration::from_secs(60));
    }

    #[test]
    fn the_file_of_the_secrets_key_is_named_as_its_neighbours_are() {
        let settings = |options: Options| options.settle(Openness::Serve).expect("it is right").0;
        assert_eq!(settings(options(&["--secrets-key-file=/k"])).secrets_key_file, Some("/k".into()));
        let from_file = file("secrets-key-file = \"/k\"").expect("the file is right");
        assert_eq!(settings(from_file).secrets_key_file, Some("/k".into()));
    }

    #[test]
    fn long_spans_may_be_of_days() {
        for (text, seconds) in [("3d", 3 * 24 * 3600), ("30d", 30 * 24 * 3600), ("36h", 36 * 3600), ("0s", 0)] {
            assert_eq!(text.parse(), Ok(LongSpan(Duration::from_secs(seconds))), "{text}");
        }
        for text in ["", "d", "31d", "3 d", "-1d", "1w", "721h", "99999999999999999999d"] {
            text.parse::<LongSpan>().expect_err(text);
        }
    }

    #[test]
    fn networks_are_read_as_people_write_them() {
        for (text, net) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("10.1.2.3", "10.1.2.3/32"),
            ("::1", "::1/128"),
            ("fd12:3456::/32", "fd12:3456::/32"),
        ] {
            assert_eq!(text.parse::<Net>().map(|net| net.0.to_string()), Ok(net.to_owned()), "{text}");
        }
        for text in
            ["", "10", "10.0.0.0/33", "10.0.0/8", "localhost", "::/129", "::ffff:10.0.0.0/104", "::ffff:10.1.2.3"]
        {
            text.parse::<Net>().expect_err(text);
        }
    }
}
