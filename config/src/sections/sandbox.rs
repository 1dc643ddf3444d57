//! `[sandbox]`: what the process can reach, whoever has taken it over.

use serde::{Deserialize, Serialize};

/// `[sandbox]`: what the process can reach.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sandbox {
    /// Whether the kernel holds the process to the files that its configuration names.
    pub landlock: Landlock,
}

/// Whether the kernel holds the process to its own files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Landlock {
    /// Where the kernel can; else the log says so.
    #[default]
    Auto,
    /// No start without.
    Required,
    /// Not at all.
    Off,
}
