//! Files that somebody replaces while the program runs, such as certificates: they are looked at every
//! few seconds, since a file system that is far away tells nobody. What is in them is the reader's.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What tells one version of a file from another; none where there is no file.
type Stamp = Option<(SystemTime, u64, u64)>;

/// Some files as they were at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    paths: Vec<PathBuf>,
    stamps: Vec<Stamp>,
}

impl Files {
    /// As they are now. Look before reading them: what is written meanwhile is then not overlooked.
    pub fn look(paths: Vec<PathBuf>) -> Self {
        let stamps = paths.iter().map(stamp).collect();
        Self { paths, stamps }
    }
}

fn stamp(path: &PathBuf) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
}

/// Waits for files to become others than those in use.
pub struct Watched {
    looks: Interval,
    used: Files,
    seen: Files,
}

impl Watched {
    /// The files in use, as they were when they were read. Call it within a tokio runtime.
    pub fn new(used: Files) -> Self {
        Self::every(LOOK_EVERY, used)
    }

    fn every(period: Duration, used: Files) -> Self {
        let mut looks = interval(period);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { looks, seen: used.clone(), used }
    }

    /// Waits until they are others, which from then on count as those in use, whether they can be used
    /// or not: what can't is tried once. Dropping the future loses no more than a look.
    pub async fn changed(&mut self) {
        loop {
            self.looks.tick().await;
            let paths = self.used.paths.clone();
            // Off the async threads: the files may lie on a file system that is far away.
            let Ok(found) = tokio::task::spawn_blocking(move || Files::look(paths)).await else { continue };
            // Whoever writes certificate and key writes one after the other: only what has been the
            // same for a while counts.
            let settled = found == self.seen;
            self.seen = found;
            if settled && self.seen != self.used {
                self.used = self.seen.clone();
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn each_version_of_a_file_is_told_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "first").unwrap();
        let mut watched = Watched::every(Duration::from_millis(5), Files::look(vec![path.clone()]));
        let unchanged = timeout(Duration::from_millis(50), watched.changed()).await;
        assert!(unchanged.is_err(), "it is the same");
        // In one step: no look sees it half written.
        fs::write(directory.path().join("new"), "the second").unwrap();
        fs::rename(directory.path().join("new"), &path).unwrap();
        timeout(PATIENCE, watched.changed()).await.expect("it is another");
        let told = timeout(Duration::from_millis(50), watched.changed()).await;
        assert!(told.is_err(), "that was told already");
        fs::remove_file(&path).unwrap();
        timeout(PATIENCE, watched.changed()).await.expect("it is gone");
    }

    #[tokio::test]
    async fn no_files_never_change() {
        let mut watched = Watched::every(Duration::from_millis(1), Files::look(Vec::new()));
        assert!(timeout(Duration::from_millis(50), watched.changed()).await.is_err());
    }
}
