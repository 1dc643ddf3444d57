//! tnftp, the `ftp` of NetBSD and macOS. It speaks no TLS.

use wharfinger_tests::clients::Site;
use wharfinger_tests::{Mode, tools};

use crate::round::{Client, Heard, listed};
use crate::step::Step;
use crate::way::{EPRT6, EPSV, EPSV6, PASV, PORT, Server};

const TNFTP: Client = Client { name: "tnftp", can: |_| true, run };

#[test]
fn tnftp_works_in_every_way() {
    TNFTP.works(&[Server::InClear.by(&[PASV, EPSV, PORT, EPSV6, EPRT6])]);
}

fn run(site: &Site, steps: &[Step]) -> Heard {
    let mut options = vec!["-n", "-i", "-d", "-v"];
    options.push(if site.is_active() { "-A" } else { "-p" });
    let mut script = interactive(site, steps);
    if matches!(site.mode, Mode::Pasv | Mode::Port) {
        script.insert_str(0, "epsv4 off\n");
    }
    let out = tools::feed(&site.directory, "tnftp", &options, &script).succeeded();
    Heard { names: listed(&out), said: out }
}

/// The steps as the commands that BSD's `ftp` and its descendants share.
pub(crate) fn interactive(site: &Site, steps: &[Step]) -> String {
    let (host, port, user) = (site.address.ip(), site.address.port(), &site.user);
    let open = format!("open {host} {port}\nuser {} \"{}\"\nbinary\n", user.name, user.password);
    let lines = steps.iter().map(|step| match step {
        Step::MakeDirectory(path) => format!("mkdir \"{path}\"\n"),
        Step::Upload { from, to } => format!("put \"{}\" \"{to}\"\n", from.display()),
        Step::List(path) => format!("dir \"{path}\"\n"),
        Step::Download { from, to } => format!("get \"{from}\" \"{}\"\n", to.display()),
        Step::Rename { from, to } => format!("rename \"{from}\" \"{to}\"\n"),
        Step::Delete(path) => format!("delete \"{path}\"\n"),
        Step::RemoveDirectory(path) => format!("rmdir \"{path}\"\n"),
    });
    open + &lines.collect::<String>() + "quit\n"
}
