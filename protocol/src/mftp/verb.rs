//! The verbs of MFTP: their names, their syntax, and when each may run.
//!
//! Each question about a verb is a column of one table, so a new verb does not
//! compile until it has answered all of them. FEAT is printed from here.

use std::fmt;

macro_rules! verbs {
    ($($variant:ident $name:literal $argument:literal $phase:ident $timing:ident, $meaning:literal;)*) => {
        /// A verb of the control connection.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Verb { $(#[doc = $meaning] $variant,)* }

        impl Verb {
            /// Every verb, in the order in which FEAT lists them.
            pub const ALL: &[Verb] = &[$(Verb::$variant,)*];

            /// The verb as it stands on the wire, in upper case.
            pub const fn name(self) -> &'static str {
                match self { $(Verb::$variant => $name,)* }
            }

            /// How a line with this verb is written.
            pub const fn syntax(self) -> &'static str {
                match self { $(Verb::$variant => concat!($name, $argument),)* }
            }

            /// From when on the verb means something.
            pub const fn phase(self) -> Phase {
                match self { $(Verb::$variant => Phase::$phase,)* }
            }

            /// What becomes of the verb while a transfer runs.
            pub const fn timing(self) -> Timing {
                match self { $(Verb::$variant => Timing::$timing,)* }
            }
        }
    };
}

verbs! {
    List "LIST" "" InSession Transfers, "List the working directory.";
    Retr "RETR" " <file>" InSession Transfers, "Send a file to the client.";
    Stor "STOR" " <file>" InSession Transfers, "Take a file from the client.";
    Dele "DELE" " <file>" InSession Waits, "Delete a file.";
    Rmdr "RMDR" " <directory>" InSession Waits, "Remove an empty directory.";
    Mkdr "MKDR" " <directory>" InSession Waits, "Make a directory.";
    Chwd "CHWD" " <directory>" InSession Waits, "Change the working directory.";
    Size "SIZE" " <file>" InSession Waits, "A file's size in bytes.";
    User "USER" " <name>" Always Waits, "Who is logging in.";
    Pass "PASS" " <password>" Always Waits, "The password.";
    Quit "QUIT" "" Always AtOnce, "End the session.";
    Rnme "RNME" " <old>:<new>" InSession Waits, "Rename a file or a directory.";
    Noop "NOOP" "" Always AtOnce, "Nothing.";
    Abor "ABOR" "" InSession AtOnce, "Break off the transfer.";
    Mdtm "MDTM" " <path>" InSession Waits, "When a file or a directory was modified.";
    Feat "FEAT" "" Always Waits, "The verbs this server has.";
    Pwrd "PWRD" "" InSession Waits, "The working directory.";
    Wami "WAMI" "" InSession Waits, "Who is logged in.";
}

/// From when on a verb means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before the login too.
    Always,
    /// Once somebody is logged in.
    InSession,
}

/// What becomes of a verb that comes during a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// It acts at once.
    AtOnce,
    /// It is answered after the transfer.
    Waits,
    /// It would be a second transfer, and is refused.
    Transfers,
}

impl Verb {
    /// The verb with this name, in whatever case. PWRD may be spelt PWDR.
    pub fn from_name(name: &[u8]) -> Option<Verb> {
        if name.eq_ignore_ascii_case(b"PWDR") {
            return Some(Verb::Pwrd);
        }
        Verb::ALL.iter().copied().find(|verb| verb.name().as_bytes().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
