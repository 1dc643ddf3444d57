//! The verbs of FTP, without arguments: their names, their syntax, and when
//! each may run.
//!
//! Each question about a verb is a column of one table, so a new verb does not
//! compile until it has answered all of them. FEAT and HELP are printed from
//! here. What a verb does is the server's business.

use std::fmt;

macro_rules! verbs {
    ($($variant:ident $name:literal $syntax:literal $phase:ident $timing:ident $feature:expr, $meaning:literal;)*) => {
        /// A verb of the control connection. The X forms of RFC 775 (XCWD, XCUP,
        /// XPWD, XMKD, XRMD) are the verb without the X.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Verb { $(#[doc = $meaning] $variant,)* }

        impl Verb {
            /// Every verb, in the order in which HELP shows them.
            pub const ALL: &[Verb] = &[$(Verb::$variant,)*];

            /// The verb as it stands on the wire, in upper case.
            pub const fn name(self) -> &'static str {
                match self { $(Verb::$variant => $name,)* }
            }

            /// The syntax in RFC 959's notation, as HELP shows it.
            pub const fn help(self) -> &'static str {
                match self { $(Verb::$variant => concat!($name, $syntax),)* }
            }

            /// What FEAT says of the verb (RFC 2389), without the leading space;
            /// `None` for what RFC 959 itself has, and for MODE Z: lftp uses it wherever FEAT
            /// names it, and between fast hosts packing is the slower way by far.
            /// STOR's is our own word for files that appear when they are whole, where they do.
            /// For MLST and HASH it is the bare name, which the session's facts or algorithms
            /// follow (RFC 3659 §7.8).
            pub const fn feature(self) -> Option<&'static str> {
                match self { $(Verb::$variant => $feature,)* }
            }

            /// The verb with this name, in whatever case.
            pub fn from_name(name: &[u8]) -> Option<Verb> {
                let name = packed(name)?;
                $(if name == const { packed_name($name) } { return Some(Verb::$variant); })*
                from_old_name(name)
            }

            const fn phase(self) -> Phase {
                match self { $(Verb::$variant => Phase::$phase,)* }
            }

            const fn timing(self) -> Timing {
                match self { $(Verb::$variant => Timing::$timing,)* }
            }
        }
    };
}

verbs! {
    User "USER" " <SP> <user name>" BeforeLogin Waits None, "RFC 959: who is logging in.";
    Pass "PASS" " [<SP> <password>]" BeforeLogin Waits None, "RFC 959: the password.";
    Acct "ACCT" " <SP> <account>" BeforeLogin Waits None, "RFC 959: an account beside the user.";
    Rein "REIN" "" BeforeLogin Waits None, "RFC 959: begin the session anew.";
    Quit "QUIT" "" InClear AtOnce None, "RFC 959: end the session.";
    Auth "AUTH" " <SP> TLS" InClear Waits Some("AUTH TLS"), "RFC 2228 and 4217: begin TLS.";
    Pbsz "PBSZ" " <SP> 0" BeforeLogin Waits Some("PBSZ"), "RFC 2228: the size of the protection buffer.";
    Prot "PROT" " <SP> (C | P)" BeforeLogin Waits Some("PROT"), "RFC 2228: how data connections are protected.";
    Ccc "CCC" "" BeforeLogin Waits None, "RFC 2228: leave TLS on the control connection.";
    Cwd "CWD" " <SP> <directory>" InSession Waits Some("TVFS"), "RFC 959: change the working directory.";
    Cdup "CDUP" "" InSession Waits None, "RFC 959: change to the parent directory.";
    Pwd "PWD" "" InSession Waits None, "RFC 959: print the working directory.";
    Mkd "MKD" " <SP> <directory>" InSession Waits None, "RFC 959: make a directory.";
    Rmd "RMD" " <SP> <directory>" InSession Waits None, "RFC 959: remove a directory.";
    Smnt "SMNT" " <SP> <path>" InSession Waits None, "RFC 959: mount another file system.";
    Retr "RETR" " <SP> <file>" InSession Waits None, "RFC 959: send a file to the client.";
    Stor "STOR" " <SP> <file>" InSession Waits Some("STOR ATOMIC"), "RFC 959: take a file from the client.";
    Stou "STOU" " [<SP> <file>]" InSession Waits None, "RFC 959: take a file under a name of the server's choice.";
    Appe "APPE" " <SP> <file>" InSession Waits None, "RFC 959: take more of a file, at its end.";
    Allo "ALLO" " <SP> <bytes> [<SP> R <SP> <record bytes>]" InSession Waits None, "RFC 959: reserve space.";
    Rest "REST" " <SP> <offset>" InSession Waits Some("REST STREAM"), "RFC 3659 §5: where the next transfer begins.";
    Rang "RANG" " <SP> <first byte> <SP> <last byte>" InSession Waits Some("RANG STREAM"), "draft-bryan-ftp-range: which bytes the next RETR or HASH is of.";
    Rnfr "RNFR" " <SP> <path>" InSession Waits None, "RFC 959: what is to be renamed.";
    Rnto "RNTO" " <SP> <path>" InSession Waits None, "RFC 959: its new name.";
    Dele "DELE" " <SP> <file>" InSession Waits None, "RFC 959: delete a file.";
    Abor "ABOR" "" InClear AtOnce None, "RFC 959: break off the transfer.";
    List "LIST" " [<SP> <path>]" InSession Waits None, "RFC 959: list a directory for people.";
    Nlst "NLST" " [<SP> <path>]" InSession Waits None, "RFC 959: list names only.";
    Mlsd "MLSD" " [<SP> <directory>]" InSession Waits None, "RFC 3659 §7: list a directory for programs.";
    Mlst "MLST" " [<SP> <path>]" InSession Waits Some("MLST"), "RFC 3659 §7: the facts of one file.";
    Stat "STAT" " [<SP> <path>]" InClear AtOnce None, "RFC 959: the session's state, or a list over the control connection.";
    Size "SIZE" " <SP> <file>" InSession Waits Some("SIZE"), "RFC 3659 §4: a file's size in bytes.";
    Mdtm "MDTM" " <SP> <file>" InSession Waits Some("MDTM"), "RFC 3659 §3: when a file was modified.";
    Mfmt "MFMT" " <SP> YYYYMMDDHHMMSS[.sss] <SP> <file>" InSession Waits Some("MFMT"), "draft-somers-ftp-mfxx: set that time.";
    Mff "MFF" " <SP> [modify=<time>;][UNIX.mode=<octal mode>;] <SP> <path>" InSession Waits Some("MFF modify;UNIX.mode;"), "draft-somers-ftp-mfxx: set facts of a file.";
    Avbl "AVBL" " [<SP> <directory>]" InSession Waits Some("AVBL"), "draft-peterson-streamlined-ftp-command-extensions: bytes that can be stored.";
    Hash "HASH" " <SP> <file>" InSession Waits Some("HASH"), "draft-bryan-ftpext-hash: a digest of a file.";
    Xcrc "XCRC" " <SP> <file> [<SP> <start> [<SP> <end>]]" InSession Waits Some("XCRC"), "By convention: the CRC-32 of a file or a part of it.";
    Xmd5 "XMD5" " <SP> <file> [<SP> <start> [<SP> <end>]]" InSession Waits Some("XMD5"), "By convention: the MD5 of a file or a part of it.";
    Xsha1 "XSHA1" " <SP> <file> [<SP> <start> [<SP> <end>]]" InSession Waits Some("XSHA1"), "By convention: the SHA-1 of a file or a part of it.";
    Xsha256 "XSHA256" " <SP> <file> [<SP> <start> [<SP> <end>]]" InSession Waits Some("XSHA256"), "By convention: the SHA-256 of a file or a part of it.";
    Xsha512 "XSHA512" " <SP> <file> [<SP> <start> [<SP> <end>]]" InSession Waits Some("XSHA512"), "By convention: the SHA-512 of a file or a part of it.";
    Type "TYPE" " <SP> (A [<SP> N] | I | L <SP> 8)" InSession Waits None, "RFC 959: the representation of data.";
    Stru "STRU" " <SP> (F | R)" InSession Waits None, "RFC 959: the structure of files.";
    Mode "MODE" " <SP> (S | Z)" InSession Waits None, "RFC 959: the mode of transfer.";
    Port "PORT" " <SP> <h1,h2,h3,h4,p1,p2>" InSession Waits None, "RFC 959: where the server is to connect to.";
    Pasv "PASV" "" InSession Waits None, "RFC 959: ask where the client may connect to.";
    Eprt "EPRT" " <SP> |<family>|<address>|<port>|" InSession Waits Some("EPRT"), "RFC 2428: PORT for IPv4 and IPv6.";
    Epsv "EPSV" " [<SP> (1 | 2 | ALL)]" InSession Waits Some("EPSV"), "RFC 2428: PASV for IPv4 and IPv6.";
    Opts "OPTS" " <SP> <verb> [<SP> <options>]" InClear Waits Some("UTF8"), "RFC 2389: options of another verb.";
    Lang "LANG" " [<SP> EN]" BeforeLogin Waits Some("LANG EN*"), "RFC 2640: the language of replies.";
    Host "HOST" " <SP> <host>" InClear Waits Some("HOST"), "RFC 7151: the name by which the client knows the server.";
    Syst "SYST" "" InClear Waits None, "RFC 959: the kind of system.";
    Noop "NOOP" "" InClear AtOnce None, "RFC 959: nothing.";
    Help "HELP" " [<SP> <verb>]" InClear Waits None, "RFC 959: help.";
    Feat "FEAT" "" InClear Waits None, "RFC 2389: what the server can do beyond RFC 959.";
    Clnt "CLNT" " <SP> <program>" InClear Waits Some("CLNT"), "By convention: the client's name and version.";
    Site "SITE" " <SP> (HELP | CHMOD | UTIME | CPFR | CPTO) [<SP> <arguments>]" InSession Waits Some("SITE COPY"), "RFC 959: what is particular to this server.";
}

impl Verb {
    /// Whether the verb means something before anybody has logged in; any
    /// other gets 530 then.
    pub const fn before_login(self) -> bool {
        !matches!(self.phase(), Phase::InSession)
    }

    /// Whether the verb means something on a connection in clear where TLS is
    /// required. USER is not among them: a password would follow it.
    pub const fn before_tls(self) -> bool {
        matches!(self.phase(), Phase::InClear)
    }

    /// Whether the verb acts at once while a transfer runs; any other waits for its end.
    pub const fn during_transfer(self) -> bool {
        matches!(self.timing(), Timing::AtOnce)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// From when on a verb means something.
enum Phase {
    /// Always. ABOR is among them because RFC 959 §5.4 has no 530 for it.
    InClear,
    /// On the way to a login, and after it.
    BeforeLogin,
    /// Once somebody is logged in.
    InSession,
}

/// What becomes of a verb that comes during a transfer.
enum Timing {
    AtOnce,
    Waits,
}

/// The names of RFC 775, which old clients still send.
const OLD_NAMES: [(u64, Verb); 5] = [
    (packed_name("XCWD"), Verb::Cwd),
    (packed_name("XCUP"), Verb::Cdup),
    (packed_name("XPWD"), Verb::Pwd),
    (packed_name("XMKD"), Verb::Mkd),
    (packed_name("XRMD"), Verb::Rmd),
];

fn from_old_name(name: u64) -> Option<Verb> {
    OLD_NAMES.iter().find(|(old, _)| *old == name).map(|&(_, verb)| verb)
}

/// A name of three to eight letters and digits, the first a letter, as one number in upper case, so
/// that a verb is found by comparing numbers. No other byte may stand for them.
const fn packed(name: &[u8]) -> Option<u64> {
    if name.len() < 3 || name.len() > 8 {
        return None;
    }
    let mut number = 0;
    let mut rest = name;
    while let Some((&byte, after)) = rest.split_first() {
        if !byte.is_ascii_alphabetic() && (number == 0 || !byte.is_ascii_digit()) {
            return None;
        }
        number = number << 8 | byte.to_ascii_uppercase() as u64;
        rest = after;
    }
    Some(number)
}

const fn packed_name(name: &str) -> u64 {
    match packed(name.as_bytes()) {
        Some(number) => number,
        // No line's verb has this number, and a test tries every name.
        None => u64::MAX,
    }
}
