//! The commands of the command line, one function each.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    arguments::{Command, Options},
    credentials::Login,
    doctor, download,
    failure::Failure,
    interrupt::Interrupt,
    mirror::{self, Direction, Manner},
    names::shown,
    output,
    progress::{Meter, Progress},
    session::Session,
    site::Site,
    target::{Scheme, Target},
    upload::{self, Cargo, Resume, Way},
};

/// Does what was asked for.
pub(crate) fn run(command: Command, options: &Options, interrupt: &Interrupt) -> Result<(), Failure> {
    let progress = Progress::new(!options.quiet && !options.json);
    let context = Context { options, interrupt, progress };
    match command {
        Command::Get { url, local } => context.get(&url, local.as_deref()),
        Command::Put { local, url } => context.put(&local, &url),
        Command::Ls { url } => context.list(&url),
        Command::Rm { url } => context.remove(&url),
        Command::Mirror { source, target } => context.mirror(&source, &target),
        Command::Doctor { url } => doctor::run(&site(&url, options, interrupt)?, options.json),
    }
}

/// What every command needs.
struct Context<'a> {
    options: &'a Options,
    interrupt: &'a Interrupt,
    progress: Progress,
}

impl Context<'_> {
    fn get(&self, url: &str, local: Option<&Path>) -> Result<(), Failure> {
        let site = site(url, self.options, self.interrupt)?;
        let path = file_of(&site)?;
        let mut session = self.session(&site);
        if local == Some(Path::new("-")) {
            let mut meter = self.progress.begin(&shown(path), None);
            return session.run(|remote, _| download::print(remote, path, &mut meter));
        }
        let target = download::destination(path, local)?;
        let version = session.run(|remote, _| download::version(remote, path))?;
        let mut meter = self.progress.begin(&shown(path), version.size);
        session.run(|remote, again| {
            let resume = again || self.options.resume;
            // It may be another one by now.
            let version = if again { download::version(remote, path)? } else { version };
            download::download(remote, path, &target, version, resume, &mut meter)
        })?;
        self.report(&format!("{} -> {}", shown(path), target.display()), || {
            output::named("path", path, moved(&target, &meter))
        });
        Ok(())
    }

    fn put(&self, local: &Path, url: &str) -> Result<(), Failure> {
        let mut cargo = Cargo::open(local)?;
        let site = site(url, self.options, self.interrupt)?;
        let path = upload::destination(local, &site.target.path)?;
        let mut meter = self.progress.begin(&shown(&path), Some(cargo.size));
        let resume = if self.options.resume { Resume::Wanted } else { Resume::Never };
        let way = Way { direct: self.options.direct, resume };
        self.session(&site).run(|remote, _| {
            upload::refuse_directory(remote, &path, way)?;
            upload::upload(remote, &mut cargo, &path, way, &mut meter)
        })?;
        self.report(&format!("{} -> {}", local.display(), shown(&path)), || {
            output::named("path", &path, moved(local, &meter))
        });
        Ok(())
    }

    fn list(&self, url: &str) -> Result<(), Failure> {
        let site = site(url, self.options, self.interrupt)?;
        let mut entries = self.session(&site).run(|remote, _| remote.list(&site.target.path))?;
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        if self.options.json {
            println!("{:#}", output::list_json(&entries));
        } else {
            print!("{}", output::list(&entries));
        }
        Ok(())
    }

    fn remove(&self, url: &str) -> Result<(), Failure> {
        let site = site(url, self.options, self.interrupt)?;
        let path = file_of(&site)?;
        self.session(&site).run(|remote, _| remote.delete(path))?;
        self.report(&format!("removed {}", shown(path)), || {
            output::named("path", path, json!({ "removed": true }))
        });
        Ok(())
    }

    fn mirror(&self, source: &str, target: &str) -> Result<(), Failure> {
        let (direction, url, local) = match (Target::is_url(source), Target::is_url(target)) {
            (true, false) => (Direction::Down, source, target),
            (false, true) => (Direction::Up, target, source),
            _ => {
                return Err(Failure::Usage(
                    "one of the two directories must be a URL, with its scheme".to_owned(),
                ));
            }
        };
        let site = site(url, self.options, self.interrupt)?;
        let manner = Manner {
            direction,
            resume: self.options.resume,
            direct: self.options.direct,
            retries: self.options.retries,
            parallel: self.options.parallel.into(),
            progress: self.progress.clone(),
        };
        let outcome = mirror::run(&site, Path::new(local), &manner)?;
        for reason in &outcome.skipped {
            self.progress.warn(&format!("wharf: left out: {reason}"));
        }
        self.report(&format!("{} copied, {} the same already", outcome.copied, outcome.same), || {
            json!({
                "copied": outcome.copied,
                "bytes": outcome.bytes,
                "same": outcome.same,
                "skipped": outcome.skipped,
                "failed": outcome.failures.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        });
        let mut failures = outcome.failures.into_iter();
        let Some(first) = failures.next() else { return Ok(()) };
        failures.for_each(|failure| self.progress.warn(&format!("wharf: {failure}")));
        Err(first)
    }

    fn session<'s>(&self, site: &'s Site) -> Session<'s> {
        Session::new(site, self.options.retries, &self.progress)
    }

    fn report(&self, words: &str, value: impl FnOnce() -> Value) {
        if self.options.json {
            println!("{:#}", value());
        } else if !self.options.quiet {
            println!("{words}");
        }
    }
}

/// What there is to tell of a transfer.
fn moved(local: &Path, meter: &Meter) -> Value {
    json!({ "local": local.to_string_lossy(), "bytes": meter.bytes(), "seconds": meter.seconds() })
}

/// The server of a URL, as the options have it. What is dangerous in them is said aloud.
pub(crate) fn site(url: &str, options: &Options, interrupt: &Interrupt) -> Result<Site, Failure> {
    let target = Target::parse(url)?;
    let plain = url.get(..6).is_some_and(|begin| begin.eq_ignore_ascii_case("ftp://"));
    if options.clear && !plain {
        return Err(Failure::Usage("--clear is for URLs that begin with ftp://".to_owned()));
    }
    if options.insecure {
        eprintln!(
            "wharf: --insecure: nobody has checked who this server is; all of it can be read and changed on the way"
        );
    }
    if options.clear || target.scheme == Scheme::Mftp {
        eprintln!(
            "wharf: the connection to {} is not encrypted; the password and the files can be read on the way",
            target.host
        );
    }
    Ok(Site {
        login: Login::find(&target, options.user.as_deref(), interrupt)?,
        target,
        trust: options.trust()?,
        clear: options.clear,
        active: options.active,
        timeout: options.timeout(),
        interrupt: interrupt.clone(),
    })
}

/// The URL's path, which must be a file's.
fn file_of(site: &Site) -> Result<&[u8], Failure> {
    match site.target.path.as_slice() {
        path if path.is_empty() || path.ends_with(b"/") => {
            Err(Failure::Usage("the URL names a directory; name a file".to_owned()))
        }
        path => Ok(path),
    }
}
