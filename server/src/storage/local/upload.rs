//! Uploads: what to write to, where to begin, and how the file gets its name once it is whole.
//! It knows nothing of where the bytes come from.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use async_trait::async_trait;
use rustix::fs::{Mode, OFlags};
use wharfinger_config::Uploads;

use super::blocking;
use super::enclosure::{Enclosure, is_link, metadata, metadata_at, metadata_of, status_at};
use super::names;
use super::part::{self, Claim, Part};
use crate::path::VirtualPath;
use crate::storage::{
    Extent, Kind, Metadata, PendingUpload, RequestedUpload, Start, StorageError, Tally, Upload,
};

/// An upload asked for; `directory` is where its path's name stands.
pub(super) struct Request {
    pub(super) inside: Enclosure,
    pub(super) tally: Arc<dyn Tally>,
    pub(super) directory: OwnedFd,
    pub(super) path: VirtualPath,
    pub(super) offset: Start,
    pub(super) may_overwrite: bool,
    pub(super) owner: Option<String>,
    pub(super) uploads: Uploads,
    pub(super) durable: bool,
    pub(super) found: Found,
}

/// What `check` found.
#[derive(Clone, Copy, Default)]
pub(super) struct Found {
    /// The file that may be replaced.
    standing: Option<Metadata>,
    ahead: Extent,
    credit: Extent,
}

/// Permissions of a new file, before the process's umask.
const FILE_MODE: u32 = 0o644;

#[async_trait]
impl RequestedUpload for Request {
    fn replaces(&self) -> bool {
        self.found.standing.is_some()
    }

    fn ahead(&self) -> Extent {
        self.found.ahead
    }

    fn credit(&self) -> Extent {
        self.found.credit
    }

    /// A plain upload makes one small file and is opened at once; any other may have to copy.
    async fn open(self: Box<Self>) -> Result<Upload, StorageError> {
        let upload = match self.offset {
            Start::Beginning => self.begin()?,
            Start::At(_) | Start::End => blocking(move || self.begin()).await?,
        };
        Ok(Box::new(upload))
    }
}

impl Request {
    /// Finds out whether it could be begun now, and what that takes.
    pub(super) fn check(&self) -> Result<Found, StorageError> {
        let (standing, left_over) = (self.standing()?, self.left_over()?);
        let (start, origin) = origin(self.offset, standing, left_over)?;
        let replaces = standing.is_some();
        if self.uploads == Uploads::Direct {
            let ahead = if replaces { Extent::default() } else { Extent::file(0) };
            return Ok(Found { standing, ahead, credit: Extent::default() });
        }
        let taken_up = left_over.is_some() && !self.appends(standing);
        let file = if taken_up { Extent::default() } else { Extent::file(0) };
        let copied = if origin == Origin::Standing { Extent::bytes(start) } else { Extent::default() };
        let credit =
            if replaces { names::weight(&self.directory, self.path.name())? } else { Extent::default() };
        Ok(Found { standing, ahead: file + copied, credit })
    }

    /// What is appended belongs to the file as it stands now, so nothing of it is kept.
    fn appends(&self, standing: Option<Metadata>) -> bool {
        self.offset == Start::End && standing.is_some()
    }

    fn begin(self) -> Result<LocalUpload, StorageError> {
        match (self.uploads, self.offset) {
            (Uploads::Direct, _) => {
                let standing = self.standing()?;
                self.open_direct(standing)
            }
            // Nothing of what stands or is left over is used, so what was found will do.
            (_, Start::Beginning) => {
                let standing = self.found.standing;
                self.open_part(standing, 0, Origin::Part)
            }
            _ => {
                let standing = self.standing()?;
                let (start, origin) = origin(self.offset, standing, self.left_over()?)?;
                self.open_part(standing, start, origin)
            }
        }
    }

    /// The file under the name, which may be replaced.
    fn standing(&self) -> Result<Option<Metadata>, StorageError> {
        let standing = self.look()?;
        match standing.map(|standing| standing.kind) {
            Some(Kind::Directory) => Err(StorageError::IsADirectory),
            Some(Kind::Other) => Err(StorageError::NotAFile),
            Some(Kind::File) if !self.may_overwrite => Err(StorageError::Exists),
            Some(Kind::File) | None => Ok(standing),
        }
    }

    /// The part of the owner's last upload.
    fn left_over(&self) -> Result<Option<Metadata>, StorageError> {
        let Some(owner) = self.owner.as_ref().filter(|_| self.uploads == Uploads::AtomicResumable) else {
            return Ok(None);
        };
        metadata_at(&self.directory, part::name_for(owner, self.path.name()).as_bytes())
    }

    /// What stands under the name now. A link is what it leads to, but it is the link that will be
    /// replaced; one that leads nowhere is nothing to write to.
    fn look(&self) -> Result<Option<Metadata>, StorageError> {
        match status_at(&self.directory, self.path.name()) {
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Ok(status) if is_link(&status) => {
                match self.inside.open_waiting(&self.path, OFlags::PATH, Mode::empty()) {
                    Err(StorageError::NotFound) => Err(StorageError::NotAFile),
                    target => Ok(Some(metadata_of(target?)?)),
                }
            }
            status => Ok(Some(metadata(&status?))),
        }
    }

    fn open_part(
        self,
        standing: Option<Metadata>,
        start: u64,
        origin: Origin,
    ) -> Result<LocalUpload, StorageError> {
        let mode = standing.map(|standing| standing.mode & 0o777);
        // Whatever the old version's mode, the owner must be able to open the part again.
        let created = Mode::from(mode.unwrap_or(FILE_MODE) | 0o600);
        let appends = self.appends(standing);
        let Self { inside, tally, directory, path, offset, may_overwrite, owner, uploads, durable, .. } =
            self;
        let owner = owner.as_deref().filter(|_| uploads == Uploads::AtomicResumable && !appends);
        let claimed = Claim { owner, name: path.name(), mode: created };
        let mut part = Part::claim(directory, tally, &claimed)?;
        // What the client would go on with is being written by somebody: its earlier session, most
        // likely, whose end the server has not noticed yet.
        if owner.is_some() && !part.keep && resumes(offset, standing) {
            return Err(StorageError::Busy);
        }
        if origin == Origin::Standing {
            let standing = inside.open_waiting(&path, OFlags::RDONLY, Mode::empty())?;
            part.cut(0)?;
            let copied = copy(&File::from(standing), &part.file, start);
            part.tally.changed(Extent::bytes(part.size()?));
            copied.inspect_err(|_| part.keep = false)?;
        } else {
            match part.held.cmp(&start) {
                // It was begun anew since we looked.
                Ordering::Less => return Err(StorageError::RestartBeyondEnd),
                Ordering::Equal => {}
                Ordering::Greater => part.cut(start)?,
            }
        }
        if start > 0 {
            part.file.seek(SeekFrom::Start(start))?;
        }
        // An append never replaces a file that it has not read.
        let replace = standing.is_some() || may_overwrite && offset != Start::End;
        Ok(LocalUpload {
            start,
            durable,
            owed: Extent::default(),
            place: Place::Part { part, name: path.name().to_vec(), replace, mode },
        })
    }

    fn open_direct(self, standing: Option<Metadata>) -> Result<LocalUpload, StorageError> {
        let size = standing.map_or(0, |standing| standing.size);
        let start = match self.offset {
            Start::Beginning => 0,
            Start::At(offset) if offset <= size => offset,
            Start::At(_) => return Err(StorageError::RestartBeyondEnd),
            Start::End => size,
        };
        let exclusive = if standing.is_none() { OFlags::EXCL } else { OFlags::empty() };
        let flags = OFlags::WRONLY | OFlags::CREATE | exclusive;
        let file = File::from(self.inside.open_waiting(&self.path, flags, Mode::from(FILE_MODE))?);
        let opened = metadata_of(&file)?;
        if opened.kind != Kind::File {
            return Err(StorageError::NotAFile);
        }
        let made = if standing.is_none() { Extent::file(0) } else { Extent::default() };
        file.set_len(start)?;
        self.tally.changed(made + Extent::bytes(start) + -Extent::bytes(opened.size));
        (&file).seek(SeekFrom::Start(start))?;
        let (durable, owed) = (self.durable, Extent::default());
        Ok(LocalUpload { start, durable, owed, place: Place::Direct(file) })
    }
}

/// Whether the upload might go on where its owner's part ends.
fn resumes(offset: Start, standing: Option<Metadata>) -> bool {
    match offset {
        Start::Beginning | Start::At(0) => false,
        Start::At(_) => true,
        Start::End => standing.is_none(),
    }
}

/// Where the bytes before the first one sent come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// What the owner's part holds; nothing at offset 0.
    Part,
    /// The file that stands under the name.
    Standing,
}

/// The offset of the first byte, and what comes before it. A part that is newer than the file that
/// stands is the beginning of another version: nothing but that version may be added to it, and
/// nothing of that version to the file.
fn origin(
    offset: Start,
    standing: Option<Metadata>,
    part: Option<Metadata>,
) -> Result<(u64, Origin), StorageError> {
    let current = |part: &Metadata| standing.is_none_or(|standing| part.modified >= standing.modified);
    let held = part.filter(current).map_or(0, |part| part.size);
    let size = standing.map_or(0, |standing| standing.size);
    match offset {
        Start::Beginning | Start::At(0) => Ok((0, Origin::Part)),
        Start::At(start) if start <= held => Ok((start, Origin::Part)),
        Start::At(start) if held == 0 && start <= size => Ok((start, Origin::Standing)),
        Start::End if standing.is_none() => Ok((held, Origin::Part)),
        Start::End if held == 0 => Ok((size, Origin::Standing)),
        Start::At(_) | Start::End => Err(StorageError::RestartBeyondEnd),
    }
}

/// Copies the first `length` bytes; in the kernel where it can (`copy_file_range`).
fn copy(from: &File, to: &File, length: u64) -> Result<(), StorageError> {
    if metadata_of(from)?.kind != Kind::File {
        return Err(StorageError::NotAFile);
    }
    let copied = std::io::copy(&mut std::io::Read::take(from, length), &mut &*to)?;
    if copied == length { Ok(()) } else { Err(StorageError::RestartBeyondEnd) }
}

/// An upload being written.
pub(super) struct LocalUpload {
    start: u64,
    durable: bool,
    /// What the file to be replaced has to free.
    owed: Extent,
    place: Place,
}

enum Place {
    /// Under a name of its own, until it is whole.
    Part {
        part: Part,
        /// The final name, in the part's directory.
        name: Vec<u8>,
        replace: bool,
        /// The mode of the version to be replaced.
        mode: Option<u32>,
    },
    /// Under its final name from the first byte.
    Direct(File),
}

#[async_trait]
impl PendingUpload for LocalUpload {
    fn file(&self) -> &File {
        match &self.place {
            Place::Part { part, .. } => &part.file,
            Place::Direct(file) => file,
        }
    }

    fn start(&self) -> u64 {
        self.start
    }

    fn overdraw(&mut self, owed: Extent) {
        self.owed = owed;
        if let Place::Part { part, .. } = &mut self.place {
            part.keep = false;
        }
    }

    /// A new name is made at once. To wait for the disk, or to free a version that is replaced,
    /// may take long.
    async fn finish(mut self: Box<Self>) -> Result<(), StorageError> {
        if self.durable || self.replaces() { blocking(move || self.commit()).await } else { self.commit() }
    }
}

impl LocalUpload {
    fn replaces(&self) -> bool {
        matches!(self.place, Place::Part { mode: Some(_), .. })
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        if self.durable {
            self.file().sync_data()?;
        }
        let Place::Part { part, name, replace, mode } = &mut self.place else { return Ok(()) };
        if let Some(mode) = *mode {
            rustix::fs::fchmod(&part.file, Mode::from(mode))?;
        }
        if let Err(error) = part.publish(name, *replace, self.owed) {
            // Its owner must be able to open it again.
            if let Some(mode) = *mode {
                rustix::fs::fchmod(&part.file, Mode::from(mode | 0o600))?;
            }
            return Err(error);
        }
        if self.durable { part.sync_directory() } else { Ok(()) }
    }
}
