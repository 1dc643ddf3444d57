//! libunftp on one directory, for the comparison: `bench-unftp ADDRESS DIRECTORY CERTIFICATE KEY`.
//! It takes any name and password, so a login costs it less than it costs anybody else.

use std::error::Error;
use std::path::PathBuf;

use libunftp::ServerBuilder;
use libunftp::options::{FtpsRequired, TlsFlags};
use unftp_sbe_fs::Filesystem;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or(format!("{what} is missing"));
    let address = next("ADDRESS")?;
    if address == "--version" {
        println!("libunftp {}", env!("CARGO_PKG_VERSION"));
        return Ok(());
    }
    let directory = PathBuf::from(next("DIRECTORY")?);
    let (certificate, key) = (PathBuf::from(next("CERTIFICATE")?), PathBuf::from(next("KEY")?));
    let storage = move || Filesystem::new(directory.clone()).expect("the directory can be opened");
    let server = ServerBuilder::new(Box::new(storage))
        .ftps(certificate, key)
        .ftps_required(FtpsRequired::None, FtpsRequired::None)
        .ftps_tls_flags(TlsFlags::V1_2 | TlsFlags::V1_3 | TlsFlags::RESUMPTION_TICKETS)
        .passive_ports(48000..=49999)
        .passive_host([127, 0, 0, 1])
        .idle_session_timeout(3600)
        .build()?;
    Ok(server.listen(address).await?)
}
