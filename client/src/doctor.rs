//! `wharf doctor`: does what a client does, step by step, and says of each step how it went and
//! what to change. It works with any server, and removes what it made.
//!
//! A password is sent to a server only once that server has shown who it is.

use jiff::Timestamp;

use crate::{
    failure::Failure,
    names::shown,
    remote::{Remote, ftp::Ftp, mftp::Mftp},
    site::Site,
    target::Scheme,
    tls::SessionTls,
};

mod advice;
mod certificate;
mod passive;
mod report;
mod transfers;

use report::{Finding, Report};

/// Examines a server; the report is printed, and the failure says whether anything is to be mended.
pub(crate) fn run(site: &Site, json: bool) -> Result<(), Failure> {
    let mut report = Report::new(json);
    let result = examine(site, &mut report);
    if let Err(failure) = &result {
        report.add(Finding::bad("the end", failure.to_string(), "mend this, then run the doctor again"));
    }
    report.print();
    result?;
    match report.to_mend() {
        0 => Ok(()),
        count => Err(Failure::Ill(format!("{count} to mend at {}", site.target.server()))),
    }
}

fn examine(site: &Site, report: &mut Report) -> Result<(), Failure> {
    let begin = Timestamp::now();
    drop(site.dial()?);
    let milliseconds = Timestamp::now().duration_since(begin).as_millis();
    report.add(Finding::fine(
        "connection",
        format!("{} answers after {milliseconds} ms", site.target.server()),
    ));
    let tls = session_tls(site)?;
    match site.target.scheme {
        Scheme::Ftp | Scheme::Ftps => {
            let connected = Ftp::connect_under(site, tls.clone());
            examine_tls(site, tls.as_ref(), report);
            let mut ftp = connected?;
            ftp.authenticate(site)?;
            report.add(Finding::fine("login", format!("as {}", shown(site.login.user.as_bytes()))));
            ftp.prepare()?;
            passive::features(&ftp, report);
            passive::examine(&mut ftp, site, report)?;
            at_work(&mut ftp, site, report)
        }
        Scheme::Mftp | Scheme::Mftps => {
            let connected = Mftp::connect_under(site, tls.clone());
            examine_tls(site, tls.as_ref(), report);
            let mut mftp = connected?;
            mftp.authenticate(site)?;
            report.add(Finding::fine("login", format!("as {}", shown(site.login.user.as_bytes()))));
            at_work(&mut mftp, site, report)?;
            passive::compare("data channel", mftp.advertised(), site, mftp.peer(), report);
            Ok(())
        }
    }
}

/// The steps that any protocol has.
fn at_work(remote: &mut dyn Remote, site: &Site, report: &mut Report) -> Result<(), Failure> {
    if !site.target.path.is_empty() {
        remote.change_directory(&site.target.path)?;
    }
    transfers::list(remote, report)?;
    transfers::file(remote, report)?;
    if site.target.scheme != Scheme::Mftp && site.target.scheme != Scheme::Mftps {
        transfers::active(remote, report)?;
    }
    // All has been said; whether the server answers changes nothing.
    let _ = remote.quit();
    Ok(())
}

fn session_tls(site: &Site) -> Result<Option<SessionTls>, Failure> {
    let (host, timeout) = (&site.target.host, site.timeout);
    match site.target.scheme {
        Scheme::Ftp if site.clear => Ok(None),
        Scheme::Mftp => Ok(None),
        Scheme::Ftp | Scheme::Ftps => SessionTls::for_ftp(&site.trust, host, timeout).map(Some),
        Scheme::Mftps => SessionTls::for_mftp(&site.trust, host, timeout).map(Some),
    }
}

fn examine_tls(site: &Site, tls: Option<&SessionTls>, report: &mut Report) {
    let Some(tls) = tls else {
        report.add(Finding::bad(
            "TLS",
            "there is none: password and files can be read on the way".to_owned(),
            "use ftpes:// or mftps://, and have the server require TLS (Wharfinger: tls.control = \"required\")",
        ));
        return;
    };
    if let Some(handshake) = tls.record().control {
        report.add(Finding::fine("TLS", handshake.describe()));
    }
    certificate::examine(&tls.shown().chain(), &site.trust, report);
}
