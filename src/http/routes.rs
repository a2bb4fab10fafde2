//! Finds the operation of an API by method and path. What an operation is beyond that, each API says itself.

use hyper::Method;
use matchit::Router;
use percent_encoding::percent_decode_str;

/// An operation, as far as it is found by it.
pub trait Route {
    /// Its method.
    fn method(&self) -> &Method;
    /// Its path, variable parts in braces.
    fn path(&self) -> &'static str;
}

/// Finds operations by method and path.
pub struct Routes<O: 'static>(Router<Vec<&'static O>>);

/// What a request asks for.
pub enum Found<O: 'static> {
    /// An operation, with the variable parts of its path, decoded.
    Operation(&'static O, Vec<String>),
    /// A path that takes other methods: these.
    OtherMethod(String),
    /// Nothing there is.
    Nothing,
}

impl<O: Route> Routes<O> {
    /// Those operations.
    pub fn of(operations: &'static [O]) -> Routes<O> {
        let mut router: Router<Vec<&'static O>> = Router::new();
        for operation in operations {
            match router.at_mut(operation.path()) {
                // A path finds itself, unless another one's variable part swallows it.
                Ok(found) if found.value[0].path() == operation.path() => found.value.push(operation),
                Ok(_) | Err(_) => router.insert(operation.path(), vec![operation]).expect("paths do not overlap"),
            }
        }
        Routes(router)
    }

    /// What a method and a path, still percent-encoded, ask for.
    pub fn find(&self, method: &Method, path: &str) -> Found<O> {
        let Ok(found) = self.0.at(path) else { return Found::Nothing };
        // A HEAD is a GET whose body stays behind; the HTTP stack leaves it out.
        let wanted = if *method == Method::HEAD { &Method::GET } else { method };
        let Some(operation) = found.value.iter().find(|operation| operation.method() == wanted) else {
            let methods = found.value.iter().map(|operation| match *operation.method() {
                Method::GET => "GET, HEAD",
                _ => operation.method().as_str(),
            });
            return Found::OtherMethod(methods.collect::<Vec<_>>().join(", "));
        };
        let decoded = found.params.iter().map(|(_, part)| percent_decode_str(part).decode_utf8());
        match decoded.map(|part| part.map(|part| part.into_owned())).collect::<Result<Vec<_>, _>>() {
            Ok(parts) => Found::Operation(operation, parts),
            Err(_) => Found::Nothing,
        }
    }
}
