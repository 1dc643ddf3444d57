//! What to change, in the words of the servers that people run.

pub(super) const PUBLIC_ADDRESS: &str = "tell the server the address its clients see: Wharfinger ftp.public_address, \
    vsftpd pasv_address, ProFTPD MasqueradeAddress, Pure-FTPd -P, pyftpdlib masquerade_address";
pub(super) const PASSIVE_PORTS: &str = "open the passive ports in the firewall and publish them from the container: \
    Wharfinger ftp.passive_ports, vsftpd pasv_min_port and pasv_max_port, ProFTPD PassivePorts, Pure-FTPd -p";
pub(super) const REUSE: &str = "have the server resume TLS sessions on data connections, so that a stolen port is worth \
    nothing: Wharfinger tls.data_binding = \"preferred\" or \"required\", vsftpd require_ssl_reuse, ProFTPD without \
    TLSOptions NoSessionReuseRequired";
pub(super) const CLOSE_NOTIFY: &str = "without close_notify nobody can tell a whole file from one that was cut off; \
    update the server, or see whether a firewall ends its connections";
pub(super) const CLOCK: &str = "set the server's clock by NTP, and have it tell times in UTC (RFC 3659): vsftpd \
    use_localtime=NO, ProFTPD TimesGMT on";
pub(super) const UTF8: &str =
    "have the server speak UTF-8: ProFTPD UseEncoding UTF-8, Pure-FTPd with its default";
pub(super) const RESUME: &str = "let the server take REST: ProFTPD AllowRetrieveRestart on";
pub(super) const UPLOAD: &str =
    "give the URL of a directory in which this user may store a file, to have uploads examined";
pub(super) const ACTIVE: &str = "nothing has to be done: passive mode works through firewalls and active mode doesn't; a \
    client behind address translation can't be reached";
pub(super) const EXPIRY: &str = "renew the certificate now: Wharfinger tls.certificate and tls.key";
pub(super) const TRUST: &str =
    "nothing checks this certificate's name and dates; a certificate by a known authority does";
pub(super) const FEATURES: &str =
    "a newer server has them: MLSD gives exact lists, SIZE and REST STREAM whole downloads";
