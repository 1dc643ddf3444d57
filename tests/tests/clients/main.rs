//! The clients that people use. Each does the same round of work (upload, list, download, rename,
//! delete, make and remove directories; names with spaces and in other alphabets, empty files,
//! a large one, many small ones) in each way it has: active and passive, IPv4 and IPv6, in clear
//! where the server allows it, TLS 1.2 and 1.3, and with data connections that must resume the
//! control connection's TLS session. What arrives is compared byte for byte.

mod aioftp;
mod basic_ftp;
mod curl;
mod filezilla;
mod ftplib;
mod inetutils;
mod lftp;
mod ncftp;
mod rclone;
mod round;
mod script;
mod step;
mod suppaftp;
mod tnftp;
mod way;
mod wget;
