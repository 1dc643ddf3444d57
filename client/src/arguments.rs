//! The command line: what can be asked of `wharf`, and how `--help` tells of it.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};

use crate::{
    failure::Failure,
    trust::{Fingerprint, Trust},
};

/// A client for FTP, FTPS and MFTP.
///
/// With a URL alone it opens a shell; type `help` there.
#[derive(Debug, Parser)]
#[command(
    name = "wharf",
    version,
    arg_required_else_help = true,
    subcommand_negates_reqs = true,
    after_help = "Run 'wharf --help' for URLs, examples and exit codes.",
    after_long_help = MORE_HELP
)]
pub(crate) struct Arguments {
    /// Where to open a shell: [ftp|ftpes|ftps|mftp|mftps]://[user@]host[:port][/path]
    #[arg(required = true)]
    pub(crate) url: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// What is done without a shell.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Download a file
    Get {
        /// The file on the server
        url: String,
        /// A file or directory here; `-` is standard output [default: the file's own name, here]
        local: Option<PathBuf>,
    },
    /// Upload a file
    Put {
        /// A file here
        local: PathBuf,
        /// A file on the server; with a slash at its end, the directory to put it into
        url: String,
    },
    /// List a directory
    Ls {
        /// The directory on the server
        url: String,
    },
    /// Remove a file
    Rm {
        /// The file on the server
        url: String,
    },
    /// Copy what is new or changed in a directory, and in those below it; nothing is removed
    Mirror {
        /// A directory here or a URL
        source: String,
        /// A URL or a directory here
        target: String,
    },
    /// Connect as a client would and report, step by step, what works and what to change
    Doctor {
        /// The server, with a directory where a file may be made and removed
        url: String,
    },
}

/// What holds for every command.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Options {
    /// Log in as this user
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Trust the certificates in this PEM file, and no others
    #[arg(long, global = true, value_name = "FILE", help_heading = "Trust")]
    ca: Option<PathBuf>,
    /// Trust the one certificate with this SHA-256, as the server prints it at its first start
    #[arg(long, global = true, value_name = "SHA256", conflicts_with = "ca", help_heading = "Trust")]
    fingerprint: Option<String>,
    /// Trust anybody: somebody on the way can then read and change everything
    #[arg(long, global = true, conflicts_with_all = ["ca", "fingerprint"], help_heading = "Trust")]
    pub(crate) insecure: bool,
    /// Do without TLS where the URL begins with ftp://
    #[arg(long, global = true, conflicts_with_all = ["ca", "fingerprint", "insecure"], help_heading = "Trust")]
    pub(crate) clear: bool,
    /// Have the server connect to this machine for data (PORT, EPRT)
    #[arg(long, global = true)]
    pub(crate) active: bool,
    /// Seconds to wait for an answer, or for data to move
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// How often to try again what may go better in a moment
    #[arg(long, global = true, value_name = "COUNT", default_value_t = 2)]
    pub(crate) retries: u32,
    /// Go on with what an earlier run has left unfinished
    #[arg(long, global = true)]
    pub(crate) resume: bool,
    /// Upload under the file's own name from the first byte, not under another one until it is whole
    #[arg(long, global = true)]
    pub(crate) direct: bool,
    /// How many files mirror moves at once, each over a connection of its own
    #[arg(long, global = true, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=32))]
    pub(crate) parallel: u16,
    /// Print results and failures as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print nothing but failures and what was asked for
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

const MORE_HELP: &str = "\
URLs:
  ftp://    FTP that turns to TLS before the login (port 21)
  ftpes://  the same, and --clear is not taken; what a host without a scheme means
  ftps://   FTP under TLS from the first byte (port 990)
  mftp://   MFTP in clear (port 6666)
  mftps://  MFTP under TLS (port 6990)
  A path is relative to the directory after the login; with a second slash
  (ftp://host//path) it begins at the root.

Passwords come from WHARF_PASSWORD, from ~/.netrc (or the file that NETRC names),
or are asked for. One in the URL is refused: others could read it.

Examples:
  wharf alice@files.example.com
  wharf get ftpes://alice@files.example.com/report.pdf
  wharf put photo.jpg ftpes://alice@files.example.com/photos/
  wharf ls --json ftpes://alice@files.example.com/photos
  wharf mirror --parallel 4 photos ftpes://alice@files.example.com/photos
  wharf get --resume --retries 10 ftpes://alice@files.example.com/large.iso
  wharf doctor --ca wharfinger-data/tls/server.pem ftpes://alice@localhost:2121

Exit codes:
  0  done                          6  the server refused a command
  1  a fault of wharf's own        7  a file or directory here
  2  the command line              8  a file did not come through whole
  3  no connection, or it broke    9  the server does not keep to the protocol
  4  TLS or the certificate       10  doctor found something to mend
  5  the login was refused       130  interrupted; run again with --resume";

impl Options {
    /// Whom to believe.
    pub(crate) fn trust(&self) -> Result<Trust, Failure> {
        if self.insecure {
            return Ok(Trust::Anybody);
        }
        if let Some(path) = &self.ca {
            return Ok(Trust::File(path.clone()));
        }
        let Some(text) = &self.fingerprint else { return Ok(Trust::Platform) };
        Fingerprint::parse(text).map(Trust::Fingerprint).ok_or_else(|| {
            Failure::Usage(
                "--fingerprint: a SHA-256 is 64 hexadecimal digits, with or without colons".to_owned(),
            )
        })
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_contradicts_nothing() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn options_stand_before_and_behind_the_command() {
        for line in ["wharf --json ls ftp://h", "wharf ls --json ftp://h", "wharf ls ftp://h --json"] {
            let arguments = Arguments::try_parse_from(line.split(' ')).unwrap();
            assert!(
                arguments.options.json && matches!(arguments.command, Some(Command::Ls { .. })),
                "{line}"
            );
        }
        let shell = Arguments::try_parse_from(["wharf", "alice@host", "--active"]).unwrap();
        assert!(shell.command.is_none() && shell.options.active && shell.url.is_some());
    }
}
