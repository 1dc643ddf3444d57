//! Every verb: an argument that is good, one that is not, what the good one gets from a logged-in
//! user over TLS, the replies that RFC 959 §5.4 allows, and those that later standards add.
//!
//! A verb that is new needs a row here, and nothing else.

/// One verb.
pub struct Row {
    /// The verb's name, in upper case.
    pub name: &'static str,
    /// `$USER` and `$PASSWORD` stand for the test's user. Empty for none.
    pub good: &'static str,
    /// What it does not take.
    pub bad: &'static str,
    /// The final reply to the good one in an idle session under TLS, its data connection made.
    pub done: u16,
    standard: &'static [u16],
    later: &'static [u16],
}

impl Row {
    /// The row of the verb with this name.
    pub fn of(verb: &str) -> &'static Row {
        let row = TABLE.iter().find(|row| row.name == verb);
        row.unwrap_or_else(|| panic!("{verb} has no row in tests/src/standards.rs"))
    }

    /// Whether the verb may get this reply.
    pub fn allows(&self, code: u16) -> bool {
        self.standard.contains(&code) || self.later.contains(&code)
    }

    /// Whether the file comes from the client.
    pub fn uploads(&self) -> bool {
        self.standard.contains(&552)
    }

    /// Whether a data connection is made for it.
    pub fn transfers(&self) -> bool {
        self.allows(150)
    }
}

macro_rules! table {
    ($($name:literal $good:literal $bad:literal $done:literal; $($standard:literal)*; $($later:literal)*;)*) => {
        /// Every verb's row.
        pub const TABLE: &[Row] = &[$(Row {
            name: $name, good: $good, bad: $bad, done: $done,
            standard: &[$($standard),*],
            later: &[$($later),*],
        },)*];
    };
}

table! {
    // Access. 232 and 336: RFC 2228 §8.
    "USER" "$USER" "some body" 530; 230 530 500 501 421 331 332; 232 336;
    "PASS" "$PASSWORD" "wrong" 530; 230 202 530 500 501 503 421 332; ;
    "ACCT" "project" "a b" 202; 230 202 530 500 501 503 421; ;
    "REIN" "" "now" 220; 120 220 421 500 502; ;
    "QUIT" "" "now" 221; 221 500; ;
    // RFC 2228 §8; any security command may get 500, 501, 502, 533 and 421. 503 for a second AUTH.
    "AUTH" "TLS" "NONSENSE" 503; ; 234 334 431 502 503 504 534 500 501 533 421;
    // RFC 2228 §8, RFC 4217 §9.
    "PBSZ" "0" "-1" 200; ; 200 503 500 501 502 533 421 530;
    "PROT" "P" "X" 200; ; 200 431 503 504 534 536 500 501 502 533 421 530;
    // RFC 2228 §3 and §8.
    "CCC" "" "now" 534; ; 200 534 500 501 502 533 421;

    // Directories. 257 for MKD, RMD's 250: RFC 959, Appendix II.
    "CWD" "/" "missing" 250; 250 500 501 502 421 530 550; ;
    "CDUP" "" "now" 200; 200 500 501 502 421 530 550; ;
    "PWD" "" "now" 257; 257 500 501 502 421 550; ;
    "MKD" "made" "folder" 257; 257 500 501 502 421 530 550; ;
    "RMD" "empty" "missing" 250; 250 500 501 502 421 530 550; ;
    "SMNT" "folder" "missing" 502; 202 250 500 501 502 421 530 550; ;

    // Files. 534 and 535: RFC 2228 §8. 521 and 522, for a data connection that is not protected
    // as the server demands: RFC 4217 §7 and §9.
    "RETR" "file" "missing" 226;
        125 150 110 226 250 425 426 451 450 550 500 501 421 530; 534 535 521 522;
    "STOR" "upload" "missing/upload" 226;
        125 150 110 226 250 425 426 451 551 552 532 450 452 553 500 501 421 530; 534 535 521 522;
    "STOU" "" "missing/upload" 226;
        125 150 110 226 250 425 426 451 551 552 532 450 452 553 500 501 421 530; 534 535 521 522;
    "APPE" "upload" "missing/upload" 226;
        125 150 110 226 250 425 426 451 551 552 532 450 550 452 553 500 501 502 421 530; 534 535 521 522;
    "ALLO" "1000" "much" 202; 200 202 500 501 504 421 530; ;
    "REST" "0" "-1" 350; 500 501 502 421 530 350; ;
    // draft-bryan-ftp-range §3 and §5.
    "RANG" "0 3" "3 0" 350; ; 350 500 501 502 551 552 421 530;
    "RNFR" "spare" "missing" 350; 450 550 500 501 502 421 530 350; ;
    "RNTO" "renamed" "missing/renamed" 503; 250 532 553 500 501 502 503 421 530; ;
    "DELE" "spare" "missing" 250; 250 450 550 500 501 502 421 530; ;
    "ABOR" "" "now" 225; 225 226 500 501 502 421; ;

    // Lists. 534, 535, 521, 522: as for files.
    "LIST" "" "missing" 226; 125 150 226 250 425 426 451 450 500 501 502 421 530; 534 535 521 522;
    "NLST" "" "missing" 226; 125 150 226 250 425 426 451 450 500 501 502 421 530; 534 535 521 522;
    // RFC 3659 §7.2.1.
    "MLSD" "" "file" 226; ; 150 226 250 425 426 451 450 550 500 501 502 421 530 534 535 521 522;
    "MLST" "" "missing" 250; ; 250 450 550 500 501 502 504 421 530;
    "STAT" "" "missing" 211; 211 212 213 450 500 501 502 421 530; ;

    // Facts: RFC 3659 §3.1 and §4.1; draft-somers-ftp-mfxx §3 and §5.
    "SIZE" "file" "missing" 213; ; 213 550 500 501 502 421 530;
    "MDTM" "file" "missing" 213; ; 213 550 500 501 502 421 530;
    "MFMT" "20200102030405 file" "yesterday file" 213; ; 213 550 500 501 502 504 421 530;
    "MFF" "modify=20200102030405; file" "size=1; file" 213; ; 213 550 500 501 502 504 421 530;
    // draft-peterson-streamlined-ftp-command-extensions §4.
    "AVBL" "" "missing" 213; ; 213 550 500 501 502 421 530;

    // draft-bryan-ftpext-hash §3.2; the others have no standard.
    "HASH" "file" "missing" 213; ; 213 426 450 451 550 553 500 501 502 504 421 530;
    "XCRC" "file" "missing" 250; ; 250 426 450 451 550 500 501 502 504 421 530;
    "XMD5" "file" "missing" 250; ; 250 426 450 451 550 500 501 502 504 421 530;
    "XSHA1" "file" "missing" 250; ; 250 426 450 451 550 500 501 502 504 421 530;
    "XSHA256" "file" "missing" 250; ; 250 426 450 451 550 500 501 502 504 421 530;
    "XSHA512" "file" "missing" 250; ; 250 426 450 451 550 500 501 502 504 421 530;

    // Parameters.
    "TYPE" "I" "X" 200; 200 500 501 504 421 530; ;
    "STRU" "F" "X" 200; 200 500 501 504 421 530; ;
    "MODE" "S" "X" 200; 200 500 501 504 421 530; ;
    "PORT" "127,0,0,1,200,10" "1,2,3" 200; 200 500 501 421 530; ;
    "PASV" "" "now" 227; 227 500 501 502 421 530; ;
    // RFC 2428 §2 and §3.
    "EPRT" "|1|127.0.0.1|51210|" "|9|nowhere|1|" 200; ; 200 500 501 502 504 522 421 530;
    "EPSV" "" "9" 229; ; 229 200 500 501 502 504 522 421 530;
    // RFC 2389 §4.
    "OPTS" "UTF8 ON" "NONSENSE" 200; ; 200 451 501 500 502 421 530;

    // RFC 2640 §4.1, RFC 7151 §3.2.
    "LANG" "EN" "FR" 200; ; 200 500 501 502 504 421 530;
    "HOST" "localhost" "local:21" 503; ; 220 421 500 501 502 503 504 530;

    // The rest. FEAT: RFC 2389 §3.2. CLNT has no standard.
    "SYST" "" "now" 215; 215 500 501 502 421; ;
    "NOOP" "" "now" 200; 200 500 421; ;
    "HELP" "" "NONSENSE" 214; 211 214 500 501 502 421; ;
    "FEAT" "" "now" 211; ; 211 500 501 502 421;
    "CLNT" "a client" "-" 200; ; 200 500 501 421 530;
    "SITE" "HELP" "NONSENSE" 200; 200 202 500 501 530; ;
}
