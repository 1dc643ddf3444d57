//! Whether the disk keeps up with an upload, by how long its writes take. While it does, they are made
//! on the session's own thread; while it does not, on one that may block.

use std::time::Duration;

/// A write into the page cache that took this long wasn't only that.
const SLOW: Duration = Duration::from_millis(20);
/// Quick ones in a row that are trusted again. A disk that is behind holds up the other sessions of a
/// thread by one write in so many at the most; a machine that was busy for a moment costs an upload a
/// few MiB on the dearer way.
const QUICK_IN_A_ROW: u32 = 16;

/// What is known of the disk.
#[derive(Default)]
pub(super) struct Disk {
    /// Quick writes still to be seen before it is trusted.
    wanted: u32,
}

impl Disk {
    pub(super) fn is_behind(&self) -> bool {
        self.wanted > 0
    }

    /// A write took this long.
    pub(super) fn took(&mut self, time: Duration) {
        self.wanted = if time > SLOW { QUICK_IN_A_ROW } else { self.wanted.saturating_sub(1) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_write_is_followed_by_quick_ones_before_the_disk_is_trusted_again() {
        let mut disk = Disk::default();
        disk.took(SLOW);
        assert!(!disk.is_behind());
        for _ in 0..2 {
            disk.took(SLOW * 2);
            for _ in 1..QUICK_IN_A_ROW {
                disk.took(Duration::ZERO);
                assert!(disk.is_behind());
            }
        }
        disk.took(Duration::ZERO);
        assert!(!disk.is_behind());
    }
}
