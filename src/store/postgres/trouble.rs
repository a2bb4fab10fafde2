//! What an error of the database means for whoever asked, told without the data that the error may quote.

use std::error::Error as _;
use std::io;

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::store::{Failure, Outlook};

/// What there is to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Run the transaction again from its start, at once. The plans that the connection keeps may be what is in the way:
    /// use another connection, or clear `statement_cache`.
    Again,
    /// The connection is of no more use, or leads to a server that does not take writes. What a commit in flight has done
    /// is not known.
    Lost,
    /// Others held a lock for too long.
    Contended,
    /// The server is overloaded or out of room; later it may work.
    Passing,
    /// The statement or its data; trying again does not help.
    Refused,
}

impl Meaning {
    fn outlook(self) -> Outlook {
        match self {
            Meaning::Again | Meaning::Contended => Outlook::Contended,
            Meaning::Lost | Meaning::Passing => Outlook::Passing,
            Meaning::Refused => Outlook::Broken,
        }
    }
}

/// What the error means.
pub(super) fn meaning(error: &Error) -> Meaning {
    match (error.as_db_error(), io_error(error)) {
        (Some(told), _) if *told.code() == SqlState::FEATURE_NOT_SUPPORTED && plan_is_stale(told) => Meaning::Again,
        // The server crashes, maybe behind the point where a commit is on disk.
        (Some(told), _) if told.parsed_severity() == Some(Severity::Panic) => Meaning::Lost,
        (Some(told), _) => meaning_of(told.code()),
        // A value that cannot be put into a message: nothing was sent.
        (None, Some(cause)) if cause.kind() == io::ErrorKind::InvalidInput => Meaning::Refused,
        (None, Some(_)) => Meaning::Lost,
        (None, None) if error.is_closed() => Meaning::Lost,
        (None, None) => Meaning::Refused,
    }
}

/// A table changed since the statement was prepared. The message may be in any language, the routine's name is not.
fn plan_is_stale(told: &DbError) -> bool {
    told.routine() == Some("RevalidateCachedQuery")
        || told.message().contains("cached plan must not change result type")
}

fn meaning_of(state: &SqlState) -> Meaning {
    match state.code() {
        // serialization_failure, deadlock_detected
        "40001" | "40P01" => Meaning::Again,
        "55P03" => Meaning::Contended,
        // statement_completion_unknown: CockroachDB cannot tell whether a commit happened.
        "40003" => Meaning::Lost,
        // read_only_sql_transaction: the server is no longer the primary.
        "25006" => Meaning::Lost,
        // The server ended the session: idle in a transaction, a transaction for too long, an administrator, a crash,
        // starting or stopping, its database dropped, idle.
        "25P03" | "25P04" | "57P01" | "57P02" | "57P03" | "57P04" | "57P05" => Meaning::Lost,
        // too_many_connections
        "53300" => Meaning::Lost,
        // query_canceled, by statement_timeout; io_error
        "57014" | "58030" => Meaning::Passing,
        code if code.starts_with("08") => Meaning::Lost,
        // No room on disk, in memory, or below another limit.
        code if code.starts_with("53") => Meaning::Passing,
        _ => Meaning::Refused,
    }
}

/// The failure that the error makes of what we were doing.
pub(super) fn trouble(doing: impl Into<String>) -> impl FnOnce(Error) -> Failure {
    move |error| Failure { doing: doing.into(), outlook: meaning(&error).outlook(), cause: text(&error).into() }
}

/// The error in words, without the detail, hint and context that the server sends along: they may quote a record.
pub(super) fn text(error: &Error) -> String {
    if let Some(told) = error.as_db_error() {
        return told_text(told);
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text += &format!(": {deeper}");
        cause = deeper.source();
    }
    text
}

fn told_text(told: &DbError) -> String {
    let severity = told.parsed_severity().map_or_else(|| told.severity().to_owned(), |severity| severity.to_string());
    let code = told.code().code();
    // The message of a data exception quotes the data: `invalid input syntax for type json: "…"`.
    match code.starts_with("22") {
        true => format!("{severity} {code}"),
        false => format!("{severity} {code}: {}", told.message()),
    }
}

/// The trouble of the network below the error.
pub(super) fn io_error(error: &Error) -> Option<&io::Error> {
    error.source().and_then(|cause| cause.downcast_ref())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio_postgres::{Config, NoTls};

    use super::*;

    /// A message of the server: its kind, its length, its body.
    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).expect("it is short");
        [&[kind][..], &length.to_be_bytes(), body].concat()
    }

    /// What the driver gives for a statement that a server answers with `answer`, and then nothing.
    fn error_after(answer: Vec<u8>) -> Error {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can be made");
        runtime.block_on(async {
            let (ours, mut server) = tokio::io::duplex(4096);
            let serve = async move {
                skip(&mut server).await;
                let greeting = [message(b'R', &[0; 4]), message(b'Z', b"I")].concat();
                server.write_all(&greeting).await.expect("the driver reads");
                skip(&mut server).await;
                server.write_all(&answer).await.expect("the driver reads");
            };
            let ask = async {
                let config = Config::new().user("ada").clone();
                let (client, connection) = config.connect_raw(ours, NoTls).await.expect("it greets");
                tokio::spawn(connection);
                client.simple_query("select 1").await.expect_err("the server refuses")
            };
            tokio::join!(serve, ask).1
        })
    }

    /// Reads one message of the driver; none is longer than this.
    async fn skip(server: &mut DuplexStream) {
        let read = server.read(&mut [0; 1024]).await.expect("the driver writes");
        assert!(read > 0);
    }

    fn refusal(code: &str, text: &str, routine: &str) -> Error {
        refusal_of("FATAL", code, text, routine)
    }

    fn refusal_of(severity: &str, code: &str, text: &str, routine: &str) -> Error {
        let fields = [
            ('S', "FATALE"),
            ('V', severity),
            ('C', code),
            ('M', text),
            ('D', "Key (id)=(ada) exists"),
            ('H', "try bob"),
            ('W', "at carol"),
            ('R', routine),
        ];
        let fields: String = fields.iter().map(|(kind, value)| format!("{kind}{value}\0")).collect();
        error_after(message(b'E', format!("{fields}\0").as_bytes()))
    }

    #[test]
    fn every_state_has_its_meaning() {
        for (meant, codes) in [
            (Meaning::Again, &["40001", "40P01"][..]),
            (Meaning::Contended, &["55P03"]),
            (
                Meaning::Lost,
                &["57P01", "57P02", "57P03", "57P05", "08006", "08P01", "25006", "25P03", "53300", "40003"],
            ),
            (Meaning::Passing, &["57014", "53100", "53200", "53400", "58030"]),
            (Meaning::Refused, &["23505", "42P01", "22001", "0A000", "42501", "XX000", "P0001"]),
        ] {
            for code in codes {
                assert_eq!(meaning(&refusal(code, "no", "somewhere")), meant, "{code}");
            }
        }
    }

    #[test]
    fn a_server_that_crashes_is_lost_whatever_it_says() {
        for code in ["XX000", "58P01", "53100"] {
            assert_eq!(meaning(&refusal_of("PANIC", code, "no", "somewhere")), Meaning::Lost, "{code}");
        }
    }

    #[test]
    fn a_stale_plan_is_tried_again_in_any_language() {
        let english = refusal("0A000", "cached plan must not change result type", "elsewhere");
        let german = refusal("0A000", "gecachter Plan darf den Ergebnistyp nicht ändern", "RevalidateCachedQuery");
        assert_eq!(meaning(&english), Meaning::Again);
        assert_eq!(meaning(&german), Meaning::Again);
    }

    #[test]
    fn a_connection_that_ends_is_lost() {
        assert_eq!(meaning(&error_after(Vec::new())), Meaning::Lost);
    }

    #[test]
    fn a_failure_tells_state_and_message_and_no_more() {
        let failure = trouble("keeping a customer")(refusal("23505", "duplicate key value", "somewhere"));
        assert_eq!(failure.to_string(), "keeping a customer: FATAL 23505: duplicate key value");
        assert_eq!(failure.outlook, Outlook::Broken);
    }

    #[test]
    fn a_message_that_quotes_data_is_left_out() {
        let error = refusal("22P02", "invalid input syntax for type json: \"ada\"", "somewhere");
        assert_eq!(text(&error), "FATAL 22P02");
    }

    #[test]
    fn each_meaning_has_its_outlook() {
        for (meaning, outlook) in [
            (Meaning::Again, Outlook::Contended),
            (Meaning::Lost, Outlook::Passing),
            (Meaning::Contended, Outlook::Contended),
            (Meaning::Passing, Outlook::Passing),
            (Meaning::Refused, Outlook::Broken),
        ] {
            assert_eq!(meaning.outlook(), outlook);
        }
    }
}
