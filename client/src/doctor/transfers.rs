//! A list, a file up and down again in a few ways, and a list in active mode.

use std::process;

use jiff::{SignedDuration, Timestamp};

use crate::{
    failure::Failure,
    names::shown,
    remote::{Ending, Entry, Remote},
};

use super::{
    advice,
    report::{Finding, Report},
};

/// More than a few TLS records.
const SIZE: usize = 100_000;
/// Clocks may differ by so much.
const SKEW: SignedDuration = SignedDuration::from_secs(5);

/// A list, and whether its data connection resumed the TLS session.
pub(super) fn list(remote: &mut dyn Remote, report: &mut Report) -> Result<(), Failure> {
    match remote.list(b"") {
        Ok(entries) => report.add(Finding::fine("list", format!("{} entries", entries.len()))),
        Err(failure) if failure.breaks_connection() => return Err(failure),
        Err(failure @ Failure::Incomplete(_)) => {
            report.add(Finding::bad("close_notify", failure.to_string(), advice::CLOSE_NOTIFY));
        }
        Err(failure) => report.add(Finding::bad("list", failure.to_string(), advice::PASSIVE_PORTS)),
    }
    match remote.resumed() {
        Some(true) => {
            report.add(Finding::fine("session reuse", "the data connection resumed the TLS session"));
        }
        Some(false) => {
            report.add(Finding::bad(
                "session reuse",
                "the data connection made a TLS session anew",
                advice::REUSE,
            ));
        }
        None => {}
    }
    Ok(())
}

/// A file with an odd name: stored, looked at, fetched, and removed whatever happened.
pub(super) fn file(remote: &mut dyn Remote, report: &mut Report) -> Result<(), Failure> {
    let name = format!("wharf-doctor-ü-{}-{}", process::id(), Timestamp::now().as_millisecond());
    let content: Vec<u8> = (0..=u8::MAX).cycle().take(SIZE).collect();
    let mut rest = content.as_slice();
    let stored = remote.store(name.as_bytes(), 0, &mut |buffer| {
        let (now, later) = rest.split_at(rest.len().min(buffer.len()));
        buffer.iter_mut().zip(now).for_each(|(place, byte)| *place = *byte);
        rest = later;
        Ok(now.len())
    });
    match stored {
        Ok(()) => report.add(Finding::fine("upload", format!("{SIZE} bytes as {name}"))),
        Err(failure @ Failure::Refused { .. }) => {
            report.add(Finding::note("upload", failure.to_string(), advice::UPLOAD));
            return Ok(());
        }
        Err(failure) => return Err(failure),
    }
    let examined = stored_file(remote, name.as_bytes(), &content, report);
    match remote.delete(name.as_bytes()) {
        Ok(()) => report.add(Finding::fine("clean-up", "the file is removed")),
        Err(failure) => report.add(Finding::bad("clean-up", failure.to_string(), "remove the file by hand")),
    }
    examined
}

fn stored_file(
    remote: &mut dyn Remote,
    name: &[u8],
    content: &[u8],
    report: &mut Report,
) -> Result<(), Failure> {
    clock(remote.modified(name)?, report);
    let entries = remote.list(b"").unwrap_or_default();
    report.add(utf8(&entries, name));
    download(remote, name, content, report)?;
    resume(remote, name, content, report)
}

fn clock(modified: Option<Timestamp>, report: &mut Report) {
    let Some(modified) = modified else {
        report.add(Finding::note(
            "clock",
            "the server does not tell when a file was modified",
            advice::FEATURES,
        ));
        return;
    };
    let skew = modified.duration_since(Timestamp::now());
    let told = format!("{} s from this machine's", skew.as_secs());
    report.add(if skew.abs() > SKEW {
        Finding::bad("clock", told, advice::CLOCK)
    } else {
        Finding::fine("clock", told)
    });
}

fn utf8(entries: &[Entry], name: &[u8]) -> Finding {
    if entries.iter().any(|entry| entry.name == name) {
        Finding::fine("UTF-8", format!("{} is listed as it was sent", shown(name)))
    } else {
        Finding::bad("UTF-8", format!("{} is not in the list under this name", shown(name)), advice::UTF8)
    }
}

fn download(
    remote: &mut dyn Remote,
    name: &[u8],
    content: &[u8],
    report: &mut Report,
) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    let ending = fetch(remote, name, 0, &mut bytes)?;
    if bytes == content {
        report.add(Finding::fine("download", "the same bytes came back"));
    } else {
        report.add(Finding::bad(
            "download",
            format!("{} of {SIZE} bytes, or others, came back", bytes.len()),
            advice::CLOSE_NOTIFY,
        ));
    }
    match ending {
        Ending::Marked => report.add(Finding::fine("close_notify", "TLS marks the end of a file")),
        Ending::Unmarked => report.add(Finding::note(
            "close_notify",
            "without TLS an end is not marked",
            advice::CLOSE_NOTIFY,
        )),
        Ending::BrokenOff => report.add(Finding::bad(
            "close_notify",
            "the data connection ended without it",
            advice::CLOSE_NOTIFY,
        )),
    }
    Ok(())
}

fn resume(remote: &mut dyn Remote, name: &[u8], content: &[u8], report: &mut Report) -> Result<(), Failure> {
    let half = content.len() / 2;
    let mut bytes = Vec::new();
    match fetch(remote, name, half as u64, &mut bytes) {
        Ok(_) if Some(bytes.as_slice()) == content.get(half..) => {
            report.add(Finding::fine("resume", "the second half came by itself"));
        }
        Ok(_) => report.add(Finding::bad("resume", "the wrong part of the file came", advice::RESUME)),
        Err(failure @ Failure::Refused { .. }) => {
            report.add(Finding::bad("resume", failure.to_string(), advice::RESUME));
        }
        Err(failure) => return Err(failure),
    }
    Ok(())
}

fn fetch(remote: &mut dyn Remote, name: &[u8], offset: u64, bytes: &mut Vec<u8>) -> Result<Ending, Failure> {
    remote.retrieve(name, offset, &mut |part| {
        bytes.extend_from_slice(part);
        if bytes.len() > 2 * SIZE {
            return Err(Failure::Protocol("more comes back than was stored".to_owned()));
        }
        Ok(())
    })
}

/// The server connects to here: seldom possible, and seldom needed.
pub(super) fn active(remote: &mut dyn Remote, report: &mut Report) -> Result<(), Failure> {
    remote.set_active(true)?;
    match remote.list(b"") {
        Ok(_) => report.add(Finding::fine("active mode", "the server can connect to this machine")),
        Err(failure) => report.add(Finding::note("active mode", failure.to_string(), advice::ACTIVE)),
    }
    Ok(())
}
