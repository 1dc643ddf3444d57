//! Holding a process to what it needs of the file system (Landlock): whoever takes it over reaches no
//! more than that. The kernel confines the thread that asks and those it starts afterwards, so this is
//! done before the runtime's threads are there.

use std::path::PathBuf;

use landlock::{
    ABI, Access as _, AccessFs, BitFlags, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetStatus,
};

use super::reach::{Access, Reach};
use crate::{Config, Landlock};

/// Without this a file can't be moved between two directories, whoever allows it (Linux 5.19).
const NEEDED: ABI = ABI::V2;
/// What is confined where the kernel knows it: cutting files short, and commands to devices.
const WANTED: ABI = ABI::V5;

/// What a process is held to since its start.
pub(super) struct Confinement {
    reach: fn(&Config) -> Reach,
    places: Vec<(PathBuf, Access)>,
    /// Kept open, so that the kernel forgets none: what `/proc` shows is made anew when it needs memory.
    _held: Vec<PathFd>,
}

/// The kernel can't do it.
#[derive(Debug, thiserror::Error)]
#[error(
    "this kernel or container can't confine the process (Landlock, Linux 5.19 or newer): {0}. Set \
     sandbox.landlock to \"auto\" to go on without where it is missing"
)]
pub(super) struct NotConfined(String);

impl Confinement {
    /// Confines the calling thread and all it starts; none where that is not wanted, or not to be had
    /// and not required. `own` is what the program needs beside what `reach` says of a configuration.
    pub(super) fn begin(
        config: &Config,
        reach: fn(&Config) -> Reach,
        own: Vec<PathBuf>,
    ) -> Result<Option<Self>, NotConfined> {
        let needs = reach(config).files(own);
        needs.make();
        if config.sandbox.landlock == Landlock::Off {
            return Ok(None);
        }
        let places = needs.places();
        match restrict(&places) {
            Ok(held) => {
                tracing::info!(places = held.len(), "confined to its own files");
                Ok(Some(Self { reach, places, _held: held }))
            }
            Err(reason) if config.sandbox.landlock == Landlock::Required => Err(NotConfined(reason)),
            Err(reason) => {
                tracing::warn!(reason, "not confined to its own files: the kernel offers no Landlock");
                Ok(None)
            }
        }
    }

    /// Refuses a configuration that names files out of reach.
    pub(super) fn check(&self, config: &Config) -> Result<(), String> {
        match (self.reach)(config).outside(&self.places) {
            None => Ok(()),
            Some(file) => Err(format!(
                "{} lies outside of what this process may reach since its start (sandbox.landlock); restart \
                 it to use that file",
                file.display()
            )),
        }
    }
}

fn restrict(places: &[(PathBuf, Access)]) -> Result<Vec<PathFd>, String> {
    let words = |error: &dyn ToString| error.to_string();
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(NEEDED))
        .map_err(|_| "it has none, or an older one".to_owned())?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))
        .and_then(Ruleset::create)
        .map_err(|error| words(&error))?;
    let mut held = Vec::new();
    for (path, access) in places {
        let place = PathFd::new(path).map_err(|error| words(&error))?;
        let allowed = allowed(*access, path.is_dir());
        ruleset = ruleset.add_rule(PathBeneath::new(&place, allowed)).map_err(|error| words(&error))?;
        held.push(place);
    }
    let status = ruleset.restrict_self().map_err(|error| words(&error))?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err("it was not enforced".to_owned()),
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(held),
    }
}

/// Nothing is run, and no links, pipes or devices are made.
fn allowed(access: Access, directory: bool) -> BitFlags<AccessFs> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let all = match access {
        Access::Read => read,
        Access::Write => {
            let kept = AccessFs::WriteFile | AccessFs::Truncate;
            let entries = AccessFs::MakeReg | AccessFs::MakeDir | AccessFs::RemoveFile | AccessFs::RemoveDir;
            read | kept | entries | AccessFs::Refer
        }
    };
    if directory { all } else { all & AccessFs::from_file(WANTED) }
}
