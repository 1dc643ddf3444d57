//! `wharfinger-server`: the file server alone. What it does stands in the library.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use wharfinger_config::program::{
    Common, Current, EXIT_BIND, EXIT_CONFIG, EXIT_STORE, HELP_TAIL, Program, Sockets, Stopped, tell_ready,
};
use wharfinger_server::{Server, StartError, healthcheck, wait_for_store};

/// The file server of Wharfinger: FTP over TLS for the users in the store
#[derive(Parser)]
#[command(version, after_help = HELP_TAIL)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Copy, Subcommand)]
enum Command {
    /// Serve until stopped (this is done without a command too)
    Serve,
    /// Ask a running server with this configuration whether it is at work, and stop
    Healthcheck,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut program = match arguments.common.start(Server::check) {
        Ok(program) => program,
        Err(code) => return code,
    };
    let command = arguments.command.unwrap_or(Command::Serve);
    if matches!(command, Command::Serve)
        && let Err(code) = program.prepare(&Server::SOCKETS, Server::reach)
    {
        return code;
    }
    run(command, program)
}

#[tokio::main]
async fn run(command: Command, program: Program) -> ExitCode {
    let done = match command {
        // Asked twice to stop, it stops at once, which is no failure.
        Command::Serve => program.serve_until_stopped(serve).await.unwrap_or(Ok(())),
        Command::Healthcheck => healthcheck(&program.config()).await.map_err(|error| (1, error.into())),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, error)) => {
            eprintln!("error: {error:#}");
            ExitCode::from(code)
        }
    }
}

async fn serve(
    mut current: Current,
    stopped: Stopped,
    mut sockets: Sockets,
) -> Result<(), (u8, anyhow::Error)> {
    let config = current.get();
    // Said at once, not after a wait for the store.
    Server::check(&config).map_err(|error| (EXIT_CONFIG, error.into()))?;
    let accounts = tokio::select! {
        accounts = wait_for_store(&config) => accounts.map_err(|error| (EXIT_STORE, error.into()))?,
        () = stopped.clone().asked() => return Ok(()),
    };
    let server = Server::bind(current, accounts, &mut sockets).map_err(|error| {
        let code = match error {
            StartError::Bind(_) | StartError::ActivePort { .. } => EXIT_BIND,
            StartError::Certificate(_) | StartError::Storage { .. } => EXIT_CONFIG,
            StartError::System(_) | StartError::Trail(_) => 1,
        };
        (code, error.into())
    })?;
    tell_ready();
    server.run(stopped.asked()).await.map_err(|error| (1, error.into()))
}
