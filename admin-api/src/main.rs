//! `wharfinger-admin`: the admin API alone, and the tasks that need no running API: migrating
//! the store, making an admin, checking the store. What the API does stands in the library.

use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand, ValueEnum};
use wharfinger_accounts::{Accounts, ChangeError, Password, Role, StoreError, Username};
use wharfinger_admin::{
    AdminApi, BindError, FirstOwner, OWNER, document, ensure_owner, healthcheck, make_admin, prepare_store,
    wait_for_store,
};
use wharfinger_config::Config;
use wharfinger_config::program::{
    Common, Current, EXIT_BIND, EXIT_CONFIG, EXIT_STORE, HELP_TAIL, Program, Sockets, Stopped, tell_ready,
};

/// The admin API of Wharfinger: creates, disables and removes users over HTTP
#[derive(Parser)]
#[command(version, after_help = HELP_TAIL)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API until stopped (this is done without a command too)
    Serve,
    /// Bring the store to this program's version, and stop
    Migrate,
    /// Create an admin; asks for the password, or reads it from standard input
    CreateAdmin {
        /// 1 to 64 of letters, digits, '.', '_', '-' and '@'
        name: Username,
        /// What the admin may do
        #[arg(long, value_enum, default_value_t = RoleName::Owner)]
        role: RoleName,
    },
    /// Say whether the store can be reached and is up to date, and stop
    CheckStore,
    /// Read the whole audit trail, say whether it is as it was written, and stop
    VerifyAudit,
    /// Print the document that describes the API (OpenAPI 3.1), and stop
    Openapi,
    /// Ask a running API with this configuration whether it is ready, and stop
    Healthcheck,
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleName {
    /// Everything
    Owner,
    /// Users and sessions
    UserManager,
    /// Reads everything, changes nothing
    Auditor,
}

/// What ends the program: an exit code for scripts, words for people.
struct Failure {
    code: u8,
    error: anyhow::Error,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut program = match arguments.common.start(AdminApi::check) {
        Ok(program) => program,
        Err(code) => return code,
    };
    let command = arguments.command.unwrap_or(Command::Serve);
    if matches!(command, Command::Serve)
        && let Err(code) = program.prepare(&AdminApi::SOCKETS, AdminApi::reach)
    {
        return code;
    }
    match run(command, program) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, error }) => {
            eprintln!("error: {error:#}");
            ExitCode::from(code)
        }
    }
}

#[tokio::main]
async fn run(command: Command, program: Program) -> Result<(), Failure> {
    let config = &*program.config();
    match command {
        // Asked twice to stop, it stops at once, which is no failure.
        Command::Serve => program.serve_until_stopped(serve).await.unwrap_or(Ok(())),
        Command::Migrate => migrate(config).await,
        Command::CreateAdmin { name, role } => create_admin(config, name, role.into()).await,
        Command::CheckStore => check_store(config).await,
        Command::VerifyAudit => verify_audit(config).await,
        Command::Openapi => openapi(),
        Command::Healthcheck => Ok(healthcheck(config).await.map_err(anyhow::Error::from)?),
    }
}

async fn serve(mut current: Current, stopped: Stopped, mut sockets: Sockets) -> Result<(), Failure> {
    let config = &*current.get();
    let accounts = tokio::select! {
        accounts = wait_for_store(config) => accounts.map_err(Failure::store)?,
        () = stopped.clone().asked() => return Ok(()),
    };
    // The address first: a start that fails must not have shown the one-time password.
    let api = AdminApi::bind(current.clone(), accounts.clone(), &mut sockets).await?;
    announce(&ensure_owner(&accounts, config).await?);
    tell_ready();
    Ok(api.run(stopped.asked()).await.context("the admin API stopped")?)
}

fn announce(owner: &FirstOwner) {
    match owner {
        FirstOwner::Existed => {}
        FirstOwner::CreatedGiven => {
            tracing::info!(name = OWNER, "first owner created, with the password given");
        }
        FirstOwner::CreatedGenerated(password) => {
            let password = String::from_utf8_lossy(password.expose());
            println!("The first owner of the admin API was created. This is shown once:");
            println!("  username  {OWNER}");
            println!("  password  {password}");
        }
    }
}

async fn migrate(config: &Config) -> Result<(), Failure> {
    let (_, migration) = prepare_store(config).await.map_err(Failure::store)?;
    if migration.from == migration.to {
        println!("The store is at version {} already.", migration.to);
    } else {
        println!("The store was at version {} and is at version {} now.", migration.from, migration.to);
    }
    Ok(())
}

async fn create_admin(config: &Config, name: Username, role: Role) -> Result<(), Failure> {
    let password = read_password(&name)?;
    let (accounts, _) = prepare_store(config).await.map_err(Failure::store)?;
    let taken = anyhow::anyhow!("there is an admin {name} already; choose another name");
    let (admin, _) = match make_admin(&accounts, name, role, Some(password)).await {
        Err(ChangeError::Store(StoreError::Taken)) => return Err(taken.into()),
        other => other?,
    };
    println!("Admin {} created.", admin.username);
    Ok(())
}

async fn check_store(config: &Config) -> Result<(), Failure> {
    let accounts = Accounts::open(&config.store, &config.store_url()).await.map_err(Failure::store)?;
    accounts.ready().await.map_err(Failure::store)?;
    println!("The store can be reached and is up to date.");
    Ok(())
}

fn openapi() -> Result<(), Failure> {
    let document = serde_json::to_string_pretty(&document()).context("the document can't be written")?;
    println!("{document}");
    Ok(())
}

async fn verify_audit(config: &Config) -> Result<(), Failure> {
    let accounts = Accounts::open(&config.store, &config.store_url()).await.map_err(Failure::store)?;
    accounts.ready().await.map_err(Failure::store)?;
    let found = accounts.verify_audit().await.map_err(Failure::store)?;
    for head in &found.heads {
        let state = if head.ended { "ended" } else { "open" };
        println!("{} {} {} {state}", head.chain, head.sequence, head.hash);
    }
    if let Some(broken) = found.first_broken {
        let (chain, sequence, reason) = (broken.chain, broken.sequence, broken.reason);
        return Err(anyhow::anyhow!("record {sequence} of {chain}: {reason}").into());
    }
    println!("{} records in {} chains, all as they were written.", found.records, found.heads.len());
    Ok(())
}

/// Asked for twice on a terminal, since nothing of it is seen; else the first line of standard input.
fn read_password(name: &Username) -> anyhow::Result<Password> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let mut line = String::new();
        stdin.lock().read_line(&mut line).context("the password can't be read from standard input")?;
        let password = line.strip_suffix('\n').unwrap_or(&line);
        let password = password.strip_suffix('\r').unwrap_or(password);
        anyhow::ensure!(!password.is_empty(), "standard input holds no password");
        return Ok(Password::new(password));
    }
    let prompt = |text: String| rpassword::prompt_password(text).context("the password can't be read");
    let password = prompt(format!("Password of {name}: "))?;
    anyhow::ensure!(prompt("The same again: ".to_owned())? == password, "the two are not the same");
    Ok(Password::new(password))
}

impl Failure {
    fn store(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { code: EXIT_STORE, error: anyhow::Error::new(error).context("the store can't be used") }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { code: 1, error }
    }
}

impl From<BindError> for Failure {
    fn from(error: BindError) -> Self {
        let code = match &error {
            BindError::Listen { .. } | BindError::Socket(_) => EXIT_BIND,
            BindError::Trail(_) => 1,
            BindError::TokenKey(_) | BindError::Tls(_) => EXIT_CONFIG,
        };
        Self { code, error: error.into() }
    }
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Store(error) => Self::store(error),
            ChangeError::Password(_) | ChangeError::Invalid(_) => {
                Self { code: EXIT_CONFIG, error: error.into() }
            }
            ChangeError::Busy | ChangeError::System(_) => Self { code: 1, error: error.into() },
        }
    }
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Owner => Self::Owner,
            RoleName::UserManager => Self::UserManager,
            RoleName::Auditor => Self::Auditor,
        }
    }
}
