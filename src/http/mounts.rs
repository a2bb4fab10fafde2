//! Which API a request is for, by the door that it came through, its path and whether it names a tenant. Whether this server
//! speaks that API is for the shell to know; keys and bodies are not looked at.

use hyper::Uri;
use hyper::header::{HOST, HeaderMap, HeaderName};

use crate::settings::Language;

/// The header by which FlexPortal's requests name their business unit. Stripe's and Jani's never carry it.
pub const TENANT_ID: HeaderName = HeaderName::from_static("tenant-id");

/// An API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// Cusp's own, which every server has.
    Cusp,
    /// One that programs know from elsewhere.
    Of(Language),
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meant {
    /// The API.
    pub api: Api,
    /// How many bytes of the path are the mount.
    pub cut: usize,
    /// What stands before the rest where the API documents it.
    pub put: &'static str,
}

impl Meant {
    const fn whole(api: Api) -> Meant {
        Meant { api, cut: 0, put: "" }
    }

    /// The path as the API documents it.
    pub fn path(&self, sent: &str) -> String {
        [self.put, &sent[self.cut..]].concat()
    }
}

/// Which hosts are whose.
#[derive(Clone, Debug, Default)]
pub struct Hosts(Vec<(String, Language)>);

impl Hosts {
    /// The hosts of those names, whatever their case.
    pub fn of<'a>(hosts: impl IntoIterator<Item = (&'a str, Language)>) -> Hosts {
        Hosts(hosts.into_iter().map(|(name, language)| (name.to_ascii_lowercase(), language)).collect())
    }

    /// Whose host a request names, if it is anybody's. The port says nothing.
    pub fn language(&self, uri: &Uri, headers: &HeaderMap) -> Option<Language> {
        if self.0.is_empty() {
            return None;
        }
        let named = || headers.get(HOST)?.to_str().ok();
        // A proxy's way to ask names the host with the path: RFC 9112, 3.2.2.
        let host = uri.host().or_else(named)?;
        let host = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            Some(_) | None => host,
        };
        let host = host.strip_suffix('.').unwrap_or(host);
        self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(host)).map(|(_, language)| *language)
    }
}

/// What a request for `path` is for. `door` is the API whose own address or host it came to; its documented paths are bare
/// there. Where everybody comes in, a tenant tells FlexPortal's `/v1` from Stripe's, and what is nobody's is Stripe's to
/// refuse.
pub fn meant(door: Option<Language>, path: &str, names_tenant: bool) -> Meant {
    if below("/cusp", path) {
        return Meant::whole(Api::Cusp);
    }
    for language in Language::ALL.iter().copied() {
        if path == document_of(language) {
            return Meant::whole(Api::Of(language));
        }
        let mount = mount_of(language);
        if let Some(rest) = path.strip_prefix(mount)
            && rest.starts_with('/')
        {
            let Meant { api, cut, put } = bare(language, rest);
            return Meant { api, cut: mount.len() + cut, put };
        }
    }
    match door {
        Some(language) => bare(language, path),
        None if below("/api/v1", path) => bare(Language::Jani, path),
        None if below("/v1", path) && names_tenant => bare(Language::FlexPortal, path),
        None => bare(Language::Stripe, path),
    }
}

/// Where an API always is.
const fn mount_of(language: Language) -> &'static str {
    match language {
        Language::Stripe => "/stripe",
        Language::FlexPortal => "/flexportal",
        Language::Jani => "/jani",
    }
}

/// Where an API's OpenAPI document is.
pub const fn document_of(language: Language) -> &'static str {
    match language {
        Language::Stripe => "/openapi/stripe.json",
        Language::FlexPortal => "/openapi/flexportal.json",
        Language::Jani => "/openapi/jani.json",
    }
}

/// What a path is for where only one API comes in question.
fn bare(language: Language, path: &str) -> Meant {
    let whole = Meant::whole(Api::Of(language));
    match language {
        // Jani's pages on businesses leave out the `/api` that the others begin with.
        Language::Jani if below("/v1/customers", path) => Meant { put: "/api", ..whole },
        Language::Stripe | Language::FlexPortal | Language::Jani => whole,
    }
}

/// Whether a path is `base` or goes on below it.
fn below(base: &str, path: &str) -> bool {
    path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;
    use crate::settings::Language::{FlexPortal, Jani, Stripe};

    #[track_caller]
    fn check(door: Option<Language>, sent: &str, tenant: bool, api: Api, path: &str) {
        let meant = meant(door, sent, tenant);
        assert_eq!((meant.api, meant.path(sent).as_str()), (api, path), "{sent}");
    }

    #[test]
    fn where_everybody_comes_in_the_path_and_the_tenant_tell() {
        for (sent, tenant, language) in [
            ("/v1/customers", false, Stripe),
            ("/v1/customers", true, FlexPortal),
            ("/v1", true, FlexPortal),
            ("/v1x", true, Stripe),
            ("/api/v1/customers", false, Jani),
            ("/api/v1/customers", true, Jani),
            ("/api/v2/customers", false, Stripe),
            ("/", false, Stripe),
            ("/", true, Stripe),
            ("/cuspid", false, Stripe),
            ("/stripes/v1/customers", false, Stripe),
        ] {
            check(None, sent, tenant, Api::Of(language), sent);
        }
    }

    #[test]
    fn the_mounts_are_there_at_every_door() {
        for door in [None, Some(Stripe), Some(FlexPortal), Some(Jani)] {
            for tenant in [false, true] {
                check(door, "/stripe/v1/customers", tenant, Api::Of(Stripe), "/v1/customers");
                check(door, "/flexportal/v1/customers", tenant, Api::Of(FlexPortal), "/v1/customers");
                check(door, "/flexportal/nothing", tenant, Api::Of(FlexPortal), "/nothing");
                check(door, "/jani/api/v1/customers", tenant, Api::Of(Jani), "/api/v1/customers");
                check(door, "/jani/v1/customers/cus_1", tenant, Api::Of(Jani), "/api/v1/customers/cus_1");
                check(door, "/cusp/v1/events", tenant, Api::Cusp, "/cusp/v1/events");
                check(door, "/cusp", tenant, Api::Cusp, "/cusp");
                check(door, "/openapi/jani.json", tenant, Api::Of(Jani), "/openapi/jani.json");
            }
        }
    }

    #[test]
    fn at_a_door_of_its_own_an_api_has_everything_else() {
        for tenant in [false, true] {
            check(Some(Stripe), "/v1/customers", tenant, Api::Of(Stripe), "/v1/customers");
            check(Some(FlexPortal), "/v1/customers", tenant, Api::Of(FlexPortal), "/v1/customers");
            check(Some(FlexPortal), "/api/v1/customers", tenant, Api::Of(FlexPortal), "/api/v1/customers");
            check(Some(Jani), "/api/v1/customers", tenant, Api::Of(Jani), "/api/v1/customers");
            check(Some(Jani), "/v1/customers", tenant, Api::Of(Jani), "/api/v1/customers");
            check(Some(Jani), "/v1/customers/a/businesses", tenant, Api::Of(Jani), "/api/v1/customers/a/businesses");
            check(Some(Jani), "/v1/customersx", tenant, Api::Of(Jani), "/v1/customersx");
            check(Some(Jani), "/v1/events", tenant, Api::Of(Jani), "/v1/events");
        }
    }

    #[test]
    fn a_host_is_known_by_its_name_alone() {
        let hosts = Hosts::of([("jani.example.com", Jani), ("Stripe.Example.com", Stripe)]);
        let by_header = |host: &'static str| {
            let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
            hosts.language(&Uri::from_static("/v1"), &headers)
        };
        assert_eq!(by_header("jani.example.com"), Some(Jani));
        assert_eq!(by_header("JANI.example.com:8080"), Some(Jani));
        assert_eq!(by_header("jani.example.com."), Some(Jani));
        assert_eq!(by_header("stripe.example.com"), Some(Stripe));
        assert_eq!(by_header("example.com"), None);
        assert_eq!(by_header("[::1]:80"), None);
        let named = Uri::from_static("http://jani.example.com:80/v1");
        assert_eq!(hosts.language(&named, &HeaderMap::new()), Some(Jani));
        assert_eq!(hosts.language(&Uri::from_static("/v1"), &HeaderMap::new()), None);
    }
}
