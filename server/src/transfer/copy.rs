//! A file copied on the server: the same kind of upload as any, under its name once it is whole;
//! but the bytes come from a file, in the kernel where the file system can (`copy_file_range`).

use std::fs::File;
use std::io::{self, Read as _};
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
    let upload = intent.open().await?;
    let mut files = (source, upload.file().try_clone().map_err(StorageError::Failed)?);
    loop {
        let (back, copied) = labour
            .slice(move || {
                let copied = io::copy(&mut (&files.0).take(SLICE), &mut &files.1);
                (files, copied)
            })
            .await?;
        files = back;
        match copied.map_err(StorageError::from)? {
            0 => return Ok(upload.finish().await?),
            bytes => meter.add(usize::try_from(bytes).unwrap_or(usize::MAX)),
        }
    }
}
