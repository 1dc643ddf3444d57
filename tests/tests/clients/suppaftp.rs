//! suppaftp, the FTP library of Rust, over rustls. It keeps one TLS configuration for all of its
//! connections, and so resumes sessions. It does not say what it tells the server.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use suppaftp::types::FileType;
use suppaftp::{Mode as Way, RustlsConnector, RustlsFtpStream};
use wharfinger_tests::clients::Site;
use wharfinger_tests::{Mode, Tls};

use crate::round::{Client, Heard, listed};
use crate::step::Step;
use crate::way::{EPRT6, EPSV, EPSV6, PASV, PORT, Server};

const SUPPAFTP: Client = Client { name: "suppaftp", can: |_| true, run };

/// It uses a TLS 1.3 ticket once, and reads none that comes with an upload: where a session must be
/// resumed, the tickets of the control connection are all it has for uploads. Downloads and lists
/// bring a ticket each.
const WITHOUT_UPLOADS: Client =
    Client { name: "suppaftp", can: |step| !matches!(step, Step::Upload { .. }), run };

#[test]
fn suppaftp_works_in_every_way() {
    SUPPAFTP.works(&[
        Server::Default.by(&[PASV, EPSV, PORT, EPSV6, EPRT6]),
        Server::InClear.by(&[PASV, EPSV, PORT, EPSV6, EPRT6]),
        Server::Bound.by_tls12(&[EPSV]),
    ]);
    WITHOUT_UPLOADS.works(&[Server::Bound.by_tls13(&[EPSV])]);
}

fn run(site: &Site, steps: &[Step]) -> Heard {
    let mut ftp = RustlsFtpStream::connect(site.address).unwrap();
    if let Some(version) = site.version {
        let tls = Tls::new(&site.certificate, version);
        ftp = ftp.into_secure(RustlsConnector::from(Arc::clone(tls.config())), "localhost").unwrap();
    }
    match site.mode {
        Mode::Pasv => ftp.set_mode(Way::Passive),
        Mode::Epsv => ftp.set_mode(Way::ExtendedPassive),
        Mode::Port | Mode::Eprt => ftp = ftp.active_mode(Duration::from_secs(20)),
    }
    ftp.login(site.user.name.as_str(), site.user.password.as_str()).unwrap();
    ftp.transfer_type(FileType::Binary).unwrap();
    let mut heard = Heard::default();
    for step in steps {
        take(&mut ftp, step, &mut heard).unwrap_or_else(|error| panic!("{step:?}: {error}"));
    }
    ftp.quit().unwrap();
    heard
}

fn take(ftp: &mut RustlsFtpStream, step: &Step, heard: &mut Heard) -> suppaftp::FtpResult<()> {
    match step {
        Step::MakeDirectory(path) => ftp.mkdir(path),
        Step::Upload { from, to } => ftp.put_file(to, &mut File::open(from).unwrap()).map(drop),
        Step::List(path) => {
            heard.names = listed(&ftp.list(Some(path))?.join("\n"));
            Ok(())
        }
        Step::Download { from, to } => {
            let mut stream = ftp.retr_as_stream(from)?;
            io::copy(&mut stream, &mut File::create(to).unwrap()).unwrap();
            stream.finish()
        }
        Step::Rename { from, to } => ftp.rename(from, to),
        Step::Delete(path) => ftp.rm(path),
        Step::RemoveDirectory(path) => ftp.rmdir(path),
    }
}
