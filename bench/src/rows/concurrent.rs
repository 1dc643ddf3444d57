//! Rows with several sessions at once, a thread each: they log in first, then all begin together.

use std::sync::Barrier;

use anyhow::{Context as _, ensure};

use super::{Load, Work, gib};
use crate::client::{Protection, Session};
use crate::place::MIB;
use crate::usage::Spent;

/// Small files moved in a row, over all its sessions.
const FILES: u32 = 2000;

/// So many downloads of one file at once.
pub(super) fn retrieve(
    load: &Load<'_>,
    protection: Protection,
    count: u32,
    file: &str,
) -> anyhow::Result<Work> {
    let path = load.path(file);
    let (bytes, spent) = at_once(load, protection, count, |session, _| session.retrieve(&path))?;
    Ok(Work { spent, amount: gib(bytes), figure: None })
}

/// 256 MiB in pieces of 1 MiB, shared among the sessions; one piece for each at the least.
pub(super) fn growth(load: &Load<'_>, protection: Protection, count: u32) -> anyhow::Result<Work> {
    let path = load.path("1m");
    let rounds = (256 / count).max(1);
    let (bytes, spent) = at_once(load, protection, count, |session, _| {
        let mut total = 0;
        for _ in 0..rounds {
            total += session.retrieve(&path)?;
        }
        Ok(total)
    })?;
    ensure!(bytes == u64::from(rounds * count) * MIB, "{bytes} bytes came");
    Ok(Work { spent, amount: gib(bytes), figure: None })
}

/// Small files, shared among the sessions.
pub(super) fn small(
    load: &Load<'_>,
    protection: Protection,
    count: u32,
    store: bool,
) -> anyhow::Result<Work> {
    let size = Load::small_size();
    let (bytes, spent) = at_once(load, protection, count, |session, number| {
        let mut total = 0;
        for file in 0..FILES / count {
            total += if store {
                session.store(&load.path(&format!("up/small-{number}-{file}")), size)?
            } else {
                session.retrieve(&load.small_file(number * FILES / count + file))?
            };
        }
        Ok(total)
    })?;
    let files = FILES / count * count;
    ensure!(bytes == u64::from(files) * size, "{bytes} bytes moved");
    Ok(Work { spent, amount: f64::from(files) / 1000.0, figure: None })
}

/// How many bytes they moved, and what that took once they had logged in and until they say goodbye.
fn at_once(
    load: &Load<'_>,
    protection: Protection,
    count: u32,
    run: impl Fn(&mut Session, u32) -> anyhow::Result<u64> + Sync,
) -> anyhow::Result<(u64, Spent)> {
    let mut open = Vec::new();
    for _ in 0..count {
        open.push(Session::open(load.target, protection, load.trust)?);
    }
    let together = Barrier::new(open.len());
    let moved = load.group.spent(|| {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..)
                .zip(&mut open)
                .map(|(number, session)| {
                    let (together, run) = (&together, &run);
                    let begin = move || {
                        together.wait();
                        run(session, number)
                    };
                    std::thread::Builder::new().stack_size(256 * 1024).spawn_scoped(scope, begin)
                })
                .collect();
            let mut total = 0;
            for thread in threads {
                total += thread?.join().ok().context("a session's thread failed")??;
            }
            Ok(total)
        })
    })?;
    for session in open {
        session.quit()?;
    }
    Ok(moved)
}
