//! `wharfinger-server`: the file server alone. What it does stands in the library.

use std::process::ExitCode;

use clap::Parser;
use wharfinger_config::program::{Common, Current, EXIT_BIND, EXIT_CONFIG, EXIT_STORE, HELP_TAIL, Stopped};
use wharfinger_server::{Server, StartError, wait_for_store};

/// The file server of Wharfinger: FTP over TLS for the users in the store
#[derive(Parser)]
#[command(version, after_help = HELP_TAIL)]
struct Arguments {
    #[command(flatten)]
    common: Common,
}

#[tokio::main]
async fn main() -> ExitCode {
    let program = match Arguments::parse().common.start(Server::check) {
        Ok(program) => program,
        Err(code) => return code,
    };
    match program.serve_until_stopped(serve).await {
        Some(Ok(())) | None => ExitCode::SUCCESS,
        Some(Err((code, error))) => {
            eprintln!("error: {error:#}");
            ExitCode::from(code)
        }
    }
}

async fn serve(mut current: Current, stopped: Stopped) -> Result<(), (u8, anyhow::Error)> {
    let config = current.get();
    // Said at once, not after a wait for the store.
    Server::check(&config).map_err(|error| (EXIT_CONFIG, error.into()))?;
    let accounts = tokio::select! {
        accounts = wait_for_store(&config) => accounts.map_err(|error| (EXIT_STORE, error.into()))?,
        () = stopped.clone().asked() => return Ok(()),
    };
    let server = Server::bind(current, accounts).map_err(|error| {
        let code = match error {
            StartError::Bind(_) | StartError::ActivePort { .. } => EXIT_BIND,
            StartError::Certificate(_) | StartError::Storage { .. } => EXIT_CONFIG,
            StartError::System(_) | StartError::Trail(_) => 1,
        };
        (code, error.into())
    })?;
    server.run(stopped.asked()).await.map_err(|error| (1, error.into()))
}
