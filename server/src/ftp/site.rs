//! SITE: what no standard has a verb for. RFC 959 §5.4 gives SITE few codes: 200 for what is done
//! and 501 for what can't be. CPFR alone has 350, like RNFR, since clients that copy (WinSCP) wait
//! for one, as ProFTPD's `mod_copy` answers.

use wharfinger_accounts::Action;
use wharfinger_protocol::ftp::{Code, Reply, Site};

use super::running::Running;
use super::session::{Session, Source};
use super::{Answer, Link, files, replies};
use crate::conversation::Step;
use crate::files::FilesError;
use crate::transfer::{Copy, Record, RecordKind};

/// One line a command. `source` is what the command before has named.
pub(super) async fn answer(
    session: &mut Session,
    link: &Link,
    command: Site,
    source: Option<Source>,
) -> Answer {
    match command {
        Site::Help(word) => replies::site_help(word.as_deref()).into(),
        Site::Chmod(mode, path) => done(session.files.set_mode(&path, mode).await, "Mode set.").into(),
        Site::Utime(when, path) => {
            done(session.files.set_modified(&path, files::file_time(when)).await, "Time set.").into()
        }
        Site::CopyFrom(path) => copy_from(session, &path).await.into(),
        Site::CopyTo(path) => copy_to(session, link, source, &path).await,
    }
}

fn done(result: Result<(), FilesError>, said: &'static str) -> Reply {
    match result {
        Ok(()) => Reply::new(Code::OK, said),
        Err(error) => refused(&error),
    }
}

fn refused(error: &FilesError) -> Reply {
    replies::refused(error, Code::BAD_ARGUMENT)
}

async fn copy_from(session: &mut Session, argument: &[u8]) -> Reply {
    match session.files.copy_from(argument).await {
        Ok(from) => {
            session.source = Some(Source::Copy(from));
            Reply::new(Code::PENDING, "Now send SITE CPTO.")
        }
        Err(error) => refused(&error),
    }
}

/// Without CPFR right before it: 501, since the table has no 503 for SITE.
async fn copy_to(session: &mut Session, link: &Link, source: Option<Source>, argument: &[u8]) -> Answer {
    let Some(Source::Copy(from)) = source else {
        return Reply::new(Code::BAD_ARGUMENT, "Send SITE CPFR first.").into();
    };
    match session.files.copy_to(from, argument).await {
        Ok((source, from, intent)) => {
            let record = Record::new(&session.files, RecordKind::Copy, intent.path().clone())
                .needing(intent.path(), intent.needs())
                .needing(&from, &[Action::Download]);
            let labour = link.services.labour.clone();
            session.running = Some(Running::Copy);
            Answer::Step(Step::Work(Copy { source, intent, labour, record }.job()))
        }
        Err(error) => refused(&error).into(),
    }
}
