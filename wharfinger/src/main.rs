//! `wharfinger`: file server and admin API in one process, with a store, a certificate and an
//! owner made at the first start. It composes the two services and does nothing else.

mod greeting;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use wharfinger_accounts::{Accounts, UserQuery};
use wharfinger_admin::{AdminApi, BindError, FirstOwner, ensure_owner, wait_for_store};
use wharfinger_config::Config;
use wharfinger_config::program::{
    Common, Current, EXIT_BIND, EXIT_CONFIG, EXIT_STORE, HELP_TAIL, Program, Reach, Sockets, Stopped,
    tell_ready,
};
use wharfinger_server::{Server, StartError};

/// Wharfinger, all in one: an FTPS server and its admin API
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
    /// Ask running services with this configuration whether they are at work, and stop
    Healthcheck,
}

/// What ends the program: an exit code for scripts, words for people.
struct Failure {
    code: u8,
    error: anyhow::Error,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut program = match arguments.common.start(check) {
        Ok(program) => program,
        Err(code) => return code,
    };
    let command = arguments.command.unwrap_or(Command::Serve);
    let sockets = [&Server::SOCKETS[..], &AdminApi::SOCKETS].concat();
    if matches!(command, Command::Serve)
        && let Err(code) = program.prepare(&sockets, reach)
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
        Command::Healthcheck => healthcheck(&program.config()).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, error }) => {
            eprintln!("error: {error:#}");
            ExitCode::from(code)
        }
    }
}

/// What both services need of the file system.
fn reach(config: &Config) -> Reach {
    Server::reach(config).and(AdminApi::reach(config))
}

/// What either service has to say against a configuration.
fn check(config: &Config) -> Result<(), anyhow::Error> {
    Server::check(config)?;
    Ok(AdminApi::check(config)?)
}

async fn serve(mut current: Current, stopped: Stopped, mut sockets: Sockets) -> Result<(), Failure> {
    let config = &*current.get();
    // Said at once, not after a wait for the store.
    Server::check(config).map_err(|error| Failure::new(EXIT_CONFIG, error))?;
    let accounts = tokio::select! {
        accounts = wait_for_store(config) => accounts.map_err(|error| Failure::new(EXIT_STORE, error))?,
        () = stopped.clone().asked() => return Ok(()),
    };
    // Addresses first: a start that fails must not have shown the one-time password.
    let server = Server::bind(current.clone(), accounts.clone(), &mut sockets)?;
    let api = AdminApi::bind(current, accounts.clone(), &mut sockets).await?;
    let owner = ensure_owner(&accounts, config).await.map_err(|error| Failure::new(EXIT_STORE, error))?;
    greet(config, &server, &api, &accounts, owner).await?;
    tell_ready();
    let (served, answered) = tokio::join!(server.run(stopped.clone().asked()), api.run(stopped.asked()));
    served
        .context("the file server stopped")
        .and(answered.context("the admin API stopped"))
        .map_err(Failure::other)
}

async fn healthcheck(config: &Config) -> Result<(), Failure> {
    wharfinger_server::healthcheck(config).await.map_err(Failure::other)?;
    wharfinger_admin::healthcheck(config).await.map_err(Failure::other)
}

async fn greet(
    config: &Config,
    server: &Server,
    api: &AdminApi,
    accounts: &Accounts,
    owner: FirstOwner,
) -> Result<(), Failure> {
    let fingerprint = wharfinger_server::fingerprint(&config.certificate()).map_err(Failure::other)?;
    let place = greeting::Place { config, files: server.addresses(), admin: &api.addresses(), fingerprint };
    let text = match owner {
        FirstOwner::Existed => place.found(count_users(accounts).await?),
        FirstOwner::CreatedGiven => place.first(None),
        FirstOwner::CreatedGenerated(password) => place.first(Some(&password)),
    };
    print!("{text}");
    Ok(())
}

async fn count_users(accounts: &Accounts) -> Result<u64, Failure> {
    let query = UserQuery { limit: 1, count: true, ..UserQuery::default() };
    let page = accounts.users(query).await.map_err(|error| Failure::new(EXIT_STORE, error))?;
    Ok(page.total.unwrap_or_default())
}

impl Failure {
    fn new(code: u8, error: impl Into<anyhow::Error>) -> Self {
        Self { code, error: error.into() }
    }

    fn other(error: impl Into<anyhow::Error>) -> Self {
        Self::new(1, error)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let code = match error {
            StartError::Bind(_) | StartError::ActivePort { .. } => EXIT_BIND,
            StartError::Certificate(_) | StartError::Storage { .. } => EXIT_CONFIG,
            StartError::System(_) | StartError::Trail(_) => 1,
        };
        Self::new(code, error)
    }
}

impl From<BindError> for Failure {
    fn from(error: BindError) -> Self {
        let code = match error {
            BindError::Listen { .. } | BindError::Socket(_) => EXIT_BIND,
            BindError::Trail(_) => 1,
            BindError::TokenKey(_) | BindError::Tls(_) => EXIT_CONFIG,
        };
        Self::new(code, error)
    }
}
