//! A file copied on the server: the same kind of upload as any, under its name once it is whole;
//! but the bytes come from a file, in the kernel where the file system can (`copy_file_range`).

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::time::Duration;

use super::labour::{Labour, SLICE};
use super::{Done, Job, Meter, Outcome, Record, TransferError};
use crate::files::UploadIntent;
use crate::storage::StorageError;

/// One file to be copied.
pub(crate) struct Copy {
    /// Read from its position on.
    pub(crate) source: File,
    pub(crate) intent: UploadIntent,
    pub(crate) labour: Labour,
    pub(crate) record: Record,
}

impl Copy {
    pub(crate) fn job(mut self) -> Job {
        Job {
            meter: self.record.meter().clone(),
            patience: Duration::ZERO,
            needs: self.record.needs(),
            run: Box::pin(async move {
                let result = run(self.source, self.intent, &self.labour, self.record.meter()).await;
                self.record.end(&result);
                Outcome { result: result.map(|()| Done::Moved), handshake: None }
            }),
        }
    }
}

async fn run(
    source: File,
    intent: UploadIntent,
    labour: &Labour,
    meter: &Meter,
) -> Result<(), TransferError> {
    let mut upload = intent.open().await?;
    let mut files = (source, upload.file().try_clone().map_err(StorageError::Failed)?);
    loop {
        let wanted = rest(&files.0)?.min(SLICE);
        if wanted == 0 {
            return Ok(upload.finish().await?);
        }
        let allowed = upload.allow(wanted).await?;
        let (back, copied) = labour
            .slice(move || {
                let copied = io::copy(&mut (&files.0).take(allowed), &mut &files.1);
                (files, copied)
            })
            .await?;
        files = back;
        let copied = copied.map_err(StorageError::from)?;
        upload.unused(allowed.saturating_sub(copied));
        meter.add(usize::try_from(copied).unwrap_or(usize::MAX));
        if allowed < wanted {
            return Err(StorageError::OverQuota.into());
        }
    }
}

/// Bytes from the position on.
fn rest(mut file: &File) -> Result<u64, StorageError> {
    Ok(file.metadata()?.len().saturating_sub(file.stream_position()?))
}
