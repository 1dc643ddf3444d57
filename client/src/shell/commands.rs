//! What each command of the shell does.

use std::{
    env, fs,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use crate::{
    download,
    failure::Failure,
    mirror::{self, Copying, Direction},
    names::{is_pattern, join, local_name, matches, shown},
    output,
    progress::Progress,
    remote::{Kind, Remote},
    upload::{self, Cargo},
};

use super::{
    session::Session,
    table::{self, Command, Row},
    visible,
};

/// Does it. `false`: the shell is left.
pub(super) fn run(session: &mut Session<'_>, row: &Row, arguments: &[String]) -> Result<bool, Failure> {
    let (least, most) = row.count;
    if !(least..=most).contains(&arguments.len()) {
        return Err(Failure::Usage(format!("usage: {} {}", row.name, row.arguments)));
    }
    let first = arguments.first().map_or("", String::as_str);
    let second = arguments.get(1).map(String::as_str);
    let progress = session.progress.clone();
    match row.command {
        Command::List => list(session.remote()?, first)?,
        Command::ChangeDirectory => session.change_directory(first.as_bytes())?,
        Command::ChangeLocalDirectory => change_local_directory(first)?,
        Command::PrintDirectory => print_directory(session.remote()?)?,
        Command::Get => get(session.remote()?, first.as_bytes(), second.map(Path::new), &progress)?,
        Command::Put => put(session, Path::new(first), second.unwrap_or_default())?,
        Command::GetMany => get_many(session, arguments)?,
        Command::PutMany => put_many(session, arguments)?,
        Command::Delete => session.remote()?.delete(first.as_bytes())?,
        Command::MakeDirectory => session.remote()?.make_directory(first.as_bytes())?,
        Command::RemoveDirectory => session.remote()?.remove_directory(first.as_bytes())?,
        Command::Rename => {
            session.remote()?.rename(first.as_bytes(), second.unwrap_or_default().as_bytes())?;
        }
        Command::ChangeMode => change_mode(session.remote()?, first, second.unwrap_or_default())?,
        Command::Size => size(session.remote()?, first)?,
        Command::Print => {
            download::print(session.remote()?, first.as_bytes(), &mut Progress::new(false).begin("", None))?;
        }
        Command::Mirror => mirror(session, arguments)?,
        Command::Site => say(session.remote()?, &format!("SITE {}", arguments.join(" ")))?,
        Command::Quote => say(session.remote()?, &arguments.join(" "))?,
        Command::Passive => session.set_active(false)?,
        Command::Active => session.set_active(true)?,
        Command::Status => status(session.remote()?),
        Command::Help => help(first)?,
        Command::Quit => return Ok(false),
    }
    Ok(true)
}

fn list(remote: &mut dyn Remote, path: &str) -> Result<(), Failure> {
    let mut entries = remote.list(path.as_bytes())?;
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    print!("{}", output::list(&entries));
    Ok(())
}

fn change_local_directory(path: &str) -> Result<(), Failure> {
    let path = if path.is_empty() { env::home_dir().unwrap_or_default() } else { PathBuf::from(path) };
    env::set_current_dir(&path).map_err(|error| Failure::Local { path, error })?;
    println!("{}", here()?.display());
    Ok(())
}

fn print_directory(remote: &mut dyn Remote) -> Result<(), Failure> {
    println!("there: {}", shown(&remote.directory()?));
    println!("here:  {}", here()?.display());
    Ok(())
}

fn here() -> Result<PathBuf, Failure> {
    env::current_dir().map_err(|error| Failure::Local { path: ".".into(), error })
}

fn get(
    remote: &mut dyn Remote,
    path: &[u8],
    local: Option<&Path>,
    progress: &Progress,
) -> Result<(), Failure> {
    let target = download::destination(path, local)?;
    let version = download::version(remote, path)?;
    let mut meter = progress.begin(&shown(path), version.size);
    // What Ctrl-C left of it is worth keeping.
    download::download(remote, path, &target, version, true, &mut meter)?;
    println!("{} -> {}, {} bytes", shown(path), target.display(), meter.bytes());
    Ok(())
}

fn put(session: &mut Session<'_>, local: &Path, path: &str) -> Result<(), Failure> {
    let mut cargo = Cargo::open(local)?;
    let path = upload::destination(local, path.as_bytes())?;
    let mut meter = session.progress.begin(&shown(&path), Some(cargo.size));
    let way = session.way();
    let remote = session.remote()?;
    upload::refuse_directory(remote, &path, way)?;
    upload::upload(remote, &mut cargo, &path, way, &mut meter)?;
    println!("{} -> {}, {} bytes", local.display(), shown(&path), meter.bytes());
    Ok(())
}

fn get_many(session: &mut Session<'_>, patterns: &[String]) -> Result<(), Failure> {
    let progress = session.progress.clone();
    for pattern in patterns {
        let (directory, pattern) =
            pattern.rsplit_once('/').map_or(("", pattern.as_str()), |(directory, last)| {
                (if directory.is_empty() { "/" } else { directory }, last)
            });
        let remote = session.remote()?;
        let entries = remote.list(directory.as_bytes())?;
        let wanted = entries.iter().filter(|entry| entry.kind == Kind::File);
        let mut count = 0;
        for entry in wanted.filter(|entry| matches(pattern.as_bytes(), &entry.name)) {
            if local_name(&entry.name).is_none() {
                return Err(Failure::Protocol(format!(
                    "the server sent a name that leads elsewhere: {}",
                    shown(&entry.name)
                )));
            }
            get(remote, &join(directory.as_bytes(), &entry.name), None, &progress)?;
            count += 1;
        }
        at_least_one(count, pattern)?;
    }
    Ok(())
}

fn put_many(session: &mut Session<'_>, patterns: &[String]) -> Result<(), Failure> {
    for pattern in patterns {
        let files = local_matches(pattern)?;
        at_least_one(files.len(), pattern)?;
        for file in files {
            put(session, &file, "")?;
        }
    }
    Ok(())
}

fn local_matches(pattern: &str) -> Result<Vec<PathBuf>, Failure> {
    let path = Path::new(pattern);
    if !is_pattern(pattern.as_bytes()) {
        return Ok(vec![path.to_owned()]);
    }
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let failed = |error| Failure::Local { path: directory.unwrap_or(Path::new(".")).to_owned(), error };
    let mut files = Vec::new();
    for entry in fs::read_dir(directory.unwrap_or(Path::new("."))).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let file = directory.map_or_else(|| PathBuf::from(&name), |directory| directory.join(&name));
        let last = path.file_name().unwrap_or_default();
        if file.is_file() && matches(last.as_bytes(), name.as_bytes()) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn at_least_one(count: usize, pattern: &str) -> Result<(), Failure> {
    if count == 0 { Err(Failure::Usage(format!("no file matches {pattern}"))) } else { Ok(()) }
}

fn change_mode(remote: &mut dyn Remote, mode: &str, path: &str) -> Result<(), Failure> {
    let bits = u32::from_str_radix(mode, 8).ok().filter(|bits| *bits <= 0o7777);
    let bits = bits.ok_or_else(|| Failure::Usage(format!("'{mode}' is no mode; write it as in 640")))?;
    remote.set_mode(path.as_bytes(), bits)
}

fn size(remote: &mut dyn Remote, path: &str) -> Result<(), Failure> {
    match remote.size(path.as_bytes())? {
        Some(size) => println!("{size}"),
        None => say(remote, &format!("SIZE {path}"))?,
    }
    Ok(())
}

fn mirror(session: &mut Session<'_>, arguments: &[String]) -> Result<(), Failure> {
    let progress = session.progress.clone();
    let upwards = arguments.first().is_some_and(|first| first == "-R");
    let names = arguments.get(usize::from(upwards)..).unwrap_or_default();
    let Some(source) = names.first() else {
        return Err(Failure::Usage("usage: mirror [-R] SOURCE [TARGET]".to_owned()));
    };
    let last = source.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let target = names.get(1).map_or(last, String::as_str);
    let (direction, local, path) = if upwards {
        (Direction::Up, source.as_str(), target)
    } else {
        (Direction::Down, target, source.as_str())
    };
    let local = if local.is_empty() { Path::new(".") } else { Path::new(local) };
    let way = session.way();
    let remote = session.remote()?;
    let plan = mirror::plan(remote, local, path.as_bytes(), direction)?;
    for job in &plan.jobs {
        Copying::new(job).run(remote, direction, way, &progress)?;
        println!("{}", visible(&job.remote));
    }
    for reason in &plan.skipped {
        eprintln!("left out: {reason}");
    }
    println!("{} copied, {} the same already", plan.jobs.len(), plan.same);
    Ok(())
}

fn say(remote: &mut dyn Remote, line: &str) -> Result<(), Failure> {
    let answer = remote.say(line.as_bytes())?;
    println!("{answer}");
    if answer.code == 421 {
        Err(Failure::Connection("the server has closed the connection".to_owned()))
    } else {
        Ok(())
    }
}

fn status(remote: &dyn Remote) {
    for (name, value) in remote.status() {
        println!("{name}: {value}");
    }
    println!("here: {}", env::current_dir().unwrap_or_default().display());
}

fn help(name: &str) -> Result<(), Failure> {
    let rows = if name.is_empty() { table::ROWS } else { std::slice::from_ref(table::find(name)?) };
    print!("{}", table::help(rows));
    Ok(())
}
