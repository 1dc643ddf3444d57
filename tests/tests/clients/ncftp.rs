//! The programs ncftpput, ncftpget and ncftpls, which only transfer and list. They speak no TLS and no IPv6.

use wharfinger_tests::clients::Site;
use wharfinger_tests::tools;

use crate::round::{Client, Heard, listed};
use crate::step::Step;
use crate::way::{PASV, PORT, Server};

const NCFTP: Client = Client {
    name: "ncftp",
    can: |step| matches!(step, Step::Upload { .. } | Step::List(_) | Step::Download { .. }),
    run,
};

#[test]
fn ncftp_works_in_every_way() {
    NCFTP.works(&[Server::InClear.by(&[PASV, PORT])]);
}

fn run(site: &Site, steps: &[Step]) -> Heard {
    let mut heard = Heard::default();
    // One process takes any number of files.
    for alike in steps.chunk_by(|one, next| std::mem::discriminant(one) == std::mem::discriminant(next)) {
        let (program, arguments) = command(&site.address.ip().to_string(), alike);
        let port = site.address.port().to_string();
        let mut all = vec!["-d", "stdout", "-u", &site.user.name, "-p", &site.user.password, "-P", &port];
        all.push(if site.is_active() { "-E" } else { "-F" });
        all.extend(arguments.iter().map(String::as_str));
        let out = tools::run_in(&site.directory, program, &all).succeeded();
        heard.said += &out;
        if program == "ncftpls" {
            heard.names = listed(&out);
        }
    }
    heard
}

fn command(host: &str, alike: &[Step]) -> (&'static str, Vec<String>) {
    let mut arguments = vec![host.to_owned()];
    match &alike[0] {
        Step::Upload { to, .. } => {
            arguments.push(to.rsplit_once('/').unwrap().0.to_owned());
            let from = alike.iter().filter_map(|step| match step {
                Step::Upload { from, .. } => Some(from.to_str().unwrap().to_owned()),
                _ => None,
            });
            arguments.extend(from);
            ("ncftpput", arguments)
        }
        Step::Download { to, .. } => {
            arguments.push(to.parent().unwrap().to_str().unwrap().to_owned());
            let from = alike.iter().filter_map(|step| match step {
                Step::Download { from, .. } => Some(from.clone()),
                _ => None,
            });
            arguments.extend(from);
            ("ncftpget", arguments)
        }
        Step::List(path) => ("ncftpls", vec!["-l".to_owned(), format!("ftp://{host}/{path}/")]),
        other => panic!("ncftp can't do {other:?}"),
    }
}
