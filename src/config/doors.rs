//! Where each API can be reached beside the address for all, as options say it.

use super::{ConfigError, Options};
use crate::settings::{Doors, Language};

impl Options {
    /// Hosts and addresses of single APIs, and which of them are not served at all.
    pub(super) fn doors(&self) -> Result<Doors, ConfigError> {
        let refuse = |text: String| Err(ConfigError(text));
        let own = [
            (Language::Stripe, &self.stripe_host, &self.stripe_listen),
            (Language::FlexPortal, &self.flexportal_host, &self.flexportal_listen),
            (Language::Jani, &self.jani_host, &self.jani_listen),
        ];
        let mut without = self.without.clone().unwrap_or_default();
        without.sort();
        without.dedup();
        if without.len() == Language::ALL.len() {
            return refuse("--without leaves no API that could be served".into());
        }
        let mut doors = Doors { hosts: Vec::new(), listeners: Vec::new(), without };
        for (language, host, listener) in own {
            let name = language.as_str();
            if doors.without.contains(&language) && (host.is_some() || listener.is_some()) {
                return refuse(format!("--without {name}: then it has no use for --{name}-host and --{name}-listen"));
            }
            if let Some(host) = host {
                if let Some((_, other)) = doors.hosts.iter().find(|(known, _)| *known == host.0) {
                    let other = other.as_str();
                    return refuse(format!("--{other}-host and --{name}-host are both {}; give each its own", host.0));
                }
                doors.hosts.push((host.0.clone(), language));
            }
            doors.listeners.extend(listener.map(|listener| (language, listener.0)));
        }
        Ok(doors)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{file, flags};
    use crate::settings::{Language, Openness};

    fn refusal(given: &[&str]) -> String {
        flags(given).settle(Openness::Serve).expect_err("it is refused").to_string()
    }

    #[test]
    fn every_api_can_have_a_host_and_an_address() {
        let options = flags(&["--jani-host=Jani.Example.com", "--flexportal-listen=127.0.0.1:0"])
            .over(file("stripe-host = \"stripe.example.com\"\nwithout = [\"jani\"]"));
        let refused = options.settle(Openness::Serve).expect_err("what is off has no host").to_string();
        assert!(refused.contains("--without jani"), "{refused}");
        let options = flags(&["--jani-host=Jani.Example.com", "--flexportal-listen=127.0.0.1:0"]);
        let doors = options.settle(Openness::Serve).expect("it may").0.doors;
        assert_eq!(doors.hosts, [("jani.example.com".to_owned(), Language::Jani)]);
        assert_eq!(doors.listeners, [(Language::FlexPortal, "127.0.0.1:0".parse().expect("an address"))]);
        let doors = flags(&["--without=jani,stripe,jani"]).settle(Openness::Dev).expect("it may").0.doors;
        assert_eq!(doors.without, [Language::Stripe, Language::Jani]);
        let doors = file("without = [\"jani\"]").settle(Openness::Dev).expect("it may").0.doors;
        assert_eq!(doors.without, [Language::Jani]);
    }

    #[test]
    fn doors_that_cannot_be_told_apart_are_refused() {
        let both = refusal(&["--jani-host=a.example", "--stripe-host=A.example"]);
        assert!(both.contains("--stripe-host and --jani-host are both a.example"), "{both}");
        let both = refusal(&["--jani-listen=127.0.0.1:5", "--stripe-listen=127.0.0.1:5"]);
        assert!(both.contains("--stripe-listen and --jani-listen are both"), "{both}");
        let none = refusal(&["--without=jani", "--without=stripe", "--without=flexportal"]);
        assert!(none.contains("no API"), "{none}");
    }

    #[test]
    fn in_dev_they_are_on_this_machine_too() {
        let refused = flags(&["--jani-listen=0.0.0.0:5"]).settle(Openness::Dev).expect_err("not loopback").to_string();
        assert!(refused.starts_with("--jani-listen 0.0.0.0:5: "), "{refused}");
    }
}
