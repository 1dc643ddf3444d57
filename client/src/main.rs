//! `wharf`: a client for FTP, FTPS and MFTP; see `--help`.

use std::process::ExitCode;

use clap::Parser as _;

use crate::{
    arguments::{Arguments, Options},
    failure::Failure,
    interrupt::Interrupt,
    progress::Progress,
};

mod answer;
mod arguments;
mod commands;
mod credentials;
mod doctor;
mod download;
mod failure;
mod interrupt;
mod mirror;
mod names;
mod output;
mod part;
mod progress;
mod remote;
mod session;
mod shell;
mod site;
mod target;
mod tls;
mod tree;
mod trust;
mod upload;
mod words;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = run(arguments.command, arguments.url.as_deref(), &arguments.options);
    let Err(failure) = result else { return ExitCode::SUCCESS };
    if arguments.options.json {
        println!("{:#}", output::failure_json(&failure));
    }
    eprintln!("wharf: {failure}");
    ExitCode::from(failure.exit_code())
}

fn run(command: Option<arguments::Command>, url: Option<&str>, options: &Options) -> Result<(), Failure> {
    let interrupt = Interrupt::install()?;
    match (command, url) {
        (Some(command), None) => commands::run(command, options, &interrupt),
        (Some(_), Some(_)) => {
            Err(Failure::Usage("the URL stands behind the command: wharf ls URL".to_owned()))
        }
        (None, Some(url)) => {
            let site = commands::site(url, options, &interrupt)?;
            shell::run(&site, options.direct, &Progress::new(!options.quiet))
        }
        (None, None) => Err(Failure::Usage("no URL is given".to_owned())),
    }
}
