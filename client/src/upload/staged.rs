//! An upload to a server that shows a file while it is being written, or may: it goes to a name
//! beside its own, and gets that when it is whole. The name is that of a part (`part.rs`), so what
//! an interrupted run leaves is known to be the beginning of this very file.

use crate::{
    answer::Answer,
    failure::Failure,
    names::{last_part, shown},
    part,
    progress::Meter,
    remote::Remote,
};

use super::{Cargo, send_rest, stored};

/// Sends it; with `resume` from where the part ends.
pub(super) fn upload(
    remote: &mut dyn Remote,
    cargo: &mut Cargo,
    path: &[u8],
    resume: bool,
    meter: &mut Meter,
) -> Result<(), Failure> {
    let name = part::name(last_part(path), cargo.version());
    let part = beside(path, &name);
    let offset = if resume { stored(remote, cargo, &part)? } else { 0 };
    send_rest(remote, cargo, &part, offset, meter).map_err(|failure| match failure {
        Failure::Refused { answer, .. } if answer.code == 553 => {
            let what = format!("{}: on its way it would be {}", shown(path), shown(&name));
            advised(&what, "if the server takes no such name", answer)
        }
        Failure::Refused { answer, .. } => Failure::Refused { what: shown(path), answer },
        other => other,
    })?;
    publish(remote, &part, path)
}

/// Gives the part its own name.
fn publish(remote: &mut dyn Remote, part: &[u8], path: &[u8]) -> Result<(), Failure> {
    let Some(answer) = refused(remote.rename(part, path))? else { return Ok(()) };
    // Some servers rename to no name that is taken. The old version steps aside then, and only a
    // file does that: it is still there if the new one can't have its name either.
    let old = [part.strip_suffix(part::SUFFIX).unwrap_or(part), b".old"].concat();
    if remote.size(path)?.is_none() || refused(remote.rename(path, &old))?.is_some() {
        return Err(unnamed(part, path, answer));
    }
    if let Some(answer) = refused(remote.rename(part, path))? {
        remote.rename(&old, path)?;
        return Err(unnamed(part, path, answer));
    }
    remote.delete(&old)
}

/// Why the server refused, if it did.
fn refused(result: Result<(), Failure>) -> Result<Option<Answer>, Failure> {
    match result {
        Ok(()) => Ok(None),
        Err(Failure::Refused { answer, .. }) if answer.code != 421 => Ok(Some(answer)),
        Err(failure) => Err(failure),
    }
}

fn unnamed(part: &[u8], path: &[u8], answer: Answer) -> Failure {
    let what = format!("{}: all of it is there, as {}", shown(path), shown(last_part(part)));
    advised(&what, "if this user may not rename", answer)
}

fn advised(what: &str, when: &str, answer: Answer) -> Failure {
    let advice = format!("{what}; {when}, --direct sends it under its own name");
    Failure::Refused { what: advice, answer }
}

/// Another name in the same directory.
fn beside(path: &[u8], name: &[u8]) -> Vec<u8> {
    let directory = path.len() - last_part(path).len();
    [path.get(..directory).unwrap_or_default(), name].concat()
}
