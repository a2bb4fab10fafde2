//! The command line: which commands there are, and what becomes of their ends. What a command does is in its own file.

mod accounts;
mod backup;
mod books;
mod check;
mod client;
mod copy;
mod fixtures;
mod keys;
mod migrate;
mod serve;
mod terminal;
mod units;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::config::{ConfigError, CopyEnds, FileOption, FolderOptions, Given, Options, StoreOptions};
use crate::settings::Openness;
use crate::store::Failure;
use terminal::Terminal;

/// A customer-record server that speaks the billing APIs programs already use
#[derive(Debug, Parser)]
#[command(
    name = "cusp",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "To try it:         cusp dev
                   curl http://127.0.0.1:12111/v1/customers -u sk_test_me: -d name=Ada
To keep records:   cusp keys create     (shows a key, once)
                   cusp serve

Every option of a server can also be set as CUSP_NAME_OF_OPTION in the environment, or as name-of-option in the \
file that --config names. A flag wins over the environment, the environment over the file.
`cusp help COMMAND` tells more about one command."
)]
pub struct Program {
    #[command(subcommand)]
    command: Command,
}

/// What is for a database what these commands are for a data folder.
const BACKUP_INSTEAD: &str = "use pg_dump, or what your provider has for backups";
const RESTORE_INSTEAD: &str = "use pg_restore, or what your provider has for backups";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a server for development and tests: any sk_test_… key opens a sandbox of its own
    ///
    /// It only listens on this machine. sk_test_NAME opens the sandbox NAME, made on first use; test runs with
    /// different names never meet.
    Dev {
        #[command(flatten)]
        file: FileOption,
        #[command(flatten)]
        options: Box<Given<Options>>,
    },
    /// Run a server that keeps records: only keys from `cusp keys create` open it
    ///
    /// It speaks plain HTTP. To be reached from other machines, put it behind something that speaks TLS.
    Serve {
        #[command(flatten)]
        file: FileOption,
        #[command(flatten)]
        options: Box<Given<Options>>,
    },
    /// Make, list and revoke API keys
    Keys {
        #[command(subcommand)]
        command: keys::Command,
    },
    /// Make, list and link accounts
    Accounts {
        #[command(subcommand)]
        command: accounts::Command,
    },
    /// Make, list and change business units: accounts that rent out, each with a currency of its own
    Units {
        #[command(subcommand)]
        command: Box<units::Command>,
    },
    /// Bring known records into a running `cusp dev`
    Fixtures {
        #[command(subcommand)]
        command: fixtures::Command,
    },
    /// Copy the data folder into one file, while the server runs or not
    Backup {
        /// The file to write; it must not exist yet
        #[arg(value_name = "FILE")]
        to: PathBuf,
        #[command(flatten)]
        folder: Given<FolderOptions>,
    },
    /// Make a data folder from a backup
    ///
    /// The data folder must hold no data yet: nothing is ever written over.
    Restore {
        /// The file that `cusp backup` wrote
        #[arg(value_name = "FILE")]
        from: PathBuf,
        #[command(flatten)]
        folder: Given<FolderOptions>,
    },
    /// Read everything in a data folder or a database and tell what is wrong with it
    ///
    /// Ends with exit code 1 and one line a fault when there are any.
    Check {
        #[command(flatten)]
        store: Box<Given<StoreOptions>>,
    },
    /// Copy everything into another place: from a data folder to a database, or the other way round
    ///
    /// Stop the servers of both first. When the copy is interrupted, run the same command again: it goes on where it
    /// was. At the end everything is read again on both sides and compared. No server starts on a target whose copy is
    /// not finished.
    Copy {
        #[command(flatten)]
        ends: CopyEnds,
        /// Remove everything that the target holds, then copy
        #[arg(long)]
        replace_everything: bool,
    },
    /// Bring the tables of a database to what this version works with
    ///
    /// A server does so too when it starts. Any number of servers and commands may do it at the same time.
    Migrate {
        /// Spread the tables over the machines of a Citus cluster, by account
        ///
        /// Rows that are there already are moved, and nothing can be written meanwhile. Tables that are spread already
        /// stay as they are.
        #[arg(long)]
        distribute: bool,
        #[command(flatten)]
        store: Box<Given<StoreOptions>>,
    },
    /// Print a script that completes cusp's commands and options in a shell
    ///
    /// For bash, as an example: cusp completions bash > ~/.local/share/bash-completion/completions/cusp
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
enum Trouble {
    /// The options make no sense.
    Options(ConfigError),
    /// What was asked cannot be done, for the reason in the text.
    Refused(String),
    /// The data could not be read or written.
    Store(Failure),
    /// The text could not be shown.
    Output(io::Error),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Options(error) => write!(f, "{error}"),
            Trouble::Refused(reason) => write!(f, "{reason}"),
            Trouble::Store(failure) => write!(f, "{failure}"),
            Trouble::Output(error) => write!(f, "cannot write the output: {error}"),
        }
    }
}

impl From<ConfigError> for Trouble {
    fn from(error: ConfigError) -> Trouble {
        Trouble::Options(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Store(failure)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::Output(error)
    }
}

/// Does what the arguments say. Exit codes: 0 done, 1 not done or faults found, 2 the arguments make no sense.
pub fn main() -> ExitCode {
    let terminal = Terminal::standard();
    match run(Program::parse(), &terminal) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader, such as `head`, has had enough.
        Err(Trouble::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(trouble) => {
            terminal.note(&format!("cusp: {trouble}"));
            match trouble {
                Trouble::Options(_) => ExitCode::from(2),
                Trouble::Refused(_) | Trouble::Store(_) | Trouble::Output(_) => ExitCode::FAILURE,
            }
        }
    }
}

fn run(program: Program, terminal: &Terminal) -> Result<(), Trouble> {
    match program.command {
        Command::Dev { file, options } => serve::run(options.0.over(Options::read(&file)?), Openness::Dev, terminal),
        Command::Serve { file, options } => {
            serve::run(options.0.over(Options::read(&file)?), Openness::Serve, terminal)
        }
        Command::Keys { command } => keys::run(command, terminal),
        Command::Accounts { command } => accounts::run(command, terminal),
        Command::Units { command } => units::run(*command, terminal),
        Command::Fixtures { command } => fixtures::run(command, terminal),
        Command::Backup { to, folder } => backup::backup(&folder.0.folder(BACKUP_INSTEAD)?, &to, terminal),
        Command::Restore { from, folder } => backup::restore(&from, &folder.0.folder(RESTORE_INSTEAD)?, terminal),
        Command::Check { store } => check::run(store.0.place()?, terminal),
        Command::Copy { ends, replace_everything } => {
            let (from, to) = ends.places()?;
            copy::run(from, to, replace_everything, terminal)
        }
        Command::Migrate { distribute, store } => migrate::run(store.0, distribute, terminal),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Program::command(), "cusp", &mut script);
            terminal.say(String::from_utf8_lossy(&script).trim_end())
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Program;

    #[test]
    fn the_command_line_is_sound() {
        Program::command().debug_assert();
    }

    #[test]
    fn every_option_and_command_has_help() {
        let mut waiting = vec![Program::command()];
        while let Some(command) = waiting.pop() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {}", command.get_name(), argument.get_id());
            }
            waiting.extend(command.get_subcommands().cloned());
        }
    }
}
