//! vsftpd, from Debian's package: anonymous login, because others would need the system's accounts
//! and PAM. `isolate*` off saves namespaces at each session, `require_ssl_reuse` is its strictness
//! about data connections that not every client passes.

use super::{Server, Start, free_port, libraries, loopback, write};
use crate::client::Target;
use crate::place::Place;

pub(super) const NAME: &str = "vsftpd";

pub(super) fn start(place: &Place) -> anyhow::Result<Server> {
    let program = place.programs.peers.join("usr/sbin/vsftpd");
    let port = free_port()?;
    let empty = place.scratch.join("vsftpd-empty");
    std::fs::create_dir_all(&empty)?;
    let text = format!(
        "listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\n\
         anonymous_enable=YES\nno_anon_password=YES\nlocal_enable=NO\nftp_username=daemon\n\
         anon_root={files}\nwrite_enable=YES\nanon_upload_enable=YES\nanon_other_write_enable=YES\n\
         anon_world_readable_only=NO\nanon_umask=022\nhide_ids=YES\nsecure_chroot_dir={empty}\n\
         ssl_enable=YES\nallow_anon_ssl=YES\nforce_anon_logins_ssl=NO\nforce_anon_data_ssl=NO\n\
         force_local_logins_ssl=NO\nforce_local_data_ssl=NO\nrequire_ssl_reuse=NO\nssl_ciphers=HIGH\n\
         rsa_cert_file=\ndsa_cert_file={certificate}\ndsa_private_key_file={key}\n\
         isolate=NO\nisolate_network=NO\nseccomp_sandbox=NO\nxferlog_enable=NO\n\
         max_clients=0\nmax_per_ip=0\nidle_session_timeout=3600\ndata_connection_timeout=120\n\
         pasv_min_port=42000\npasv_max_port=43999\nuse_sendfile=YES\nsyslog_enable=NO\n\
         vsftpd_log_file=/dev/null\nallow_writeable_chroot=YES\n",
        files = place.files.display(),
        empty = empty.display(),
        certificate = place.certificate.display(),
        key = place.key.display(),
    );
    let configuration = write(place, "vsftpd.conf", &text)?;
    Start {
        name: NAME,
        // It says its version to its standard input, of all places.
        version: "vsftpd of Debian's package".to_owned(),
        program: &program,
        arguments: vec![configuration.display().to_string()],
        environment: vec![libraries(place)],
        target: Target { address: loopback(port), user: "anonymous", password: "x@localhost", directory: "" },
    }
    .go(place)
}
