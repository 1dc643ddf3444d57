//! Where the benchmark happens: one directory on a file system in memory, with the files that all
//! servers serve, their certificate, and their configurations.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::TempDir;

/// Uploads and downloads of the large rows, bytes.
pub(crate) const GIB: u64 = 1 << 30;
pub(crate) const MIB: u64 = 1 << 20;
/// Small files in `small`, and the size of each.
pub(crate) const SMALL_FILES: u32 = 1000;
pub(crate) const SMALL: u64 = 4096;
/// Who owns what is uploaded through a server that changes its user; `nobody`.
pub(crate) const NOBODY: u32 = 65534;

/// One directory, gone at the end.
pub(crate) struct Place {
    pub(crate) scratch: PathBuf,
    /// Above the user's directory.
    pub(crate) root: PathBuf,
    /// The user's directory, `bench` in the root.
    pub(crate) files: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) programs: Programs,
    _directory: TempDir,
}

/// Where the programs are.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Programs {
    /// Our all-in-one program
    #[arg(long)]
    pub(crate) wharfinger: PathBuf,
    /// Where `tests/peers/fetch` has unpacked the other servers
    #[arg(long)]
    pub(crate) peers: PathBuf,
    /// The small program on libunftp, see bench/unftp
    #[arg(long)]
    pub(crate) unftp: PathBuf,
    /// The script on pyftpdlib: `bench/pyftpdlib_server.py`
    #[arg(long)]
    pub(crate) pyftpdlib: PathBuf,
}

impl Place {
    pub(crate) fn make(memory: &Path, programs: Programs) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("wharfinger-bench.").tempdir_in(memory)?;
        let scratch = directory.path().to_owned();
        // Servers that change their user must be able to pass.
        fs::set_permissions(&scratch, Permissions::from_mode(0o755))?;
        let root = scratch.join("files");
        let files = root.join("bench");
        let (certificate, key) = (scratch.join("server.pem"), scratch.join("server.key"));
        let pair = rcgen::KeyPair::generate()?;
        let made = rcgen::CertificateParams::new(vec!["localhost".to_owned()])?.self_signed(&pair)?;
        fs::write(&certificate, made.pem())?;
        fs::write(&key, pair.serialize_pem())?;
        fs::set_permissions(&key, Permissions::from_mode(0o600))?;
        let place = Self { scratch, root, files, certificate, key, programs, _directory: directory };
        place.fill().context("the files can't be made")?;
        Ok(place)
    }

    fn fill(&self) -> anyhow::Result<()> {
        fs::create_dir_all(&self.files)?;
        self.zeros("1g", GIB)?;
        self.zeros("16m", 16 * MIB)?;
        self.zeros("1m", MIB)?;
        self.many("small", SMALL_FILES, SMALL)?;
        self.many("list10000", 10_000, 0)?;
        self.many("list100000", 100_000, 0)?;
        let uploads = self.files.join("up");
        fs::create_dir(&uploads)?;
        fs::set_permissions(&uploads, Permissions::from_mode(0o777))?;
        rustix::fs::chown(&uploads, Some(rustix::fs::Uid::from_raw(NOBODY)), None)?;
        Ok(())
    }

    /// Pages that are there: a hole would be read faster than a file.
    fn zeros(&self, name: &str, size: u64) -> anyhow::Result<()> {
        let file = File::create(self.files.join(name))?;
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, size)?;
        Ok(())
    }

    fn many(&self, name: &str, count: u32, size: u64) -> anyhow::Result<()> {
        let directory = self.files.join(name);
        fs::create_dir(&directory)?;
        let content = vec![0; usize::try_from(size)?];
        for number in 0..count {
            fs::write(directory.join(format!("file-{number:06}.bin")), &content)?;
        }
        Ok(())
    }

    /// Between two rows: what was uploaded is removed.
    pub(crate) fn clear_uploads(&self) -> anyhow::Result<()> {
        for entry in fs::read_dir(self.files.join("up"))? {
            fs::remove_file(entry?.path())?;
        }
        Ok(())
    }
}
