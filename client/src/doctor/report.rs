//! What the doctor says: findings as they come on a terminal, all at once as JSON.

use serde_json::{Value, json};

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fine,
    /// It works, and could be better; or it can't be known.
    Note,
    Bad,
}

/// One step.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    step: &'static str,
    verdict: Verdict,
    told: String,
    advice: Option<&'static str>,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Report {
    json: bool,
    findings: Vec<Finding>,
}

impl Finding {
    /// It is as it should be.
    pub(super) fn fine(step: &'static str, told: impl Into<String>) -> Finding {
        Finding { step, verdict: Verdict::Fine, told: told.into(), advice: None }
    }

    /// It is worth knowing, and nothing has to be done.
    pub(super) fn note(step: &'static str, told: impl Into<String>, advice: &'static str) -> Finding {
        Finding { step, verdict: Verdict::Note, told: told.into(), advice: Some(advice) }
    }

    /// It is to be mended.
    pub(super) fn bad(step: &'static str, told: impl Into<String>, advice: &'static str) -> Finding {
        Finding { step, verdict: Verdict::Bad, told: told.into(), advice: Some(advice) }
    }
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Note => "note",
            Self::Bad => "bad",
        }
    }
}

impl Report {
    pub(super) fn new(json: bool) -> Report {
        Report { json, findings: Vec::new() }
    }

    /// Takes a finding; people see it at once.
    pub(super) fn add(&mut self, finding: Finding) {
        if !self.json {
            println!("{:5}{:20}{}", finding.verdict.word(), finding.step, finding.told);
            if let Some(advice) = finding.advice {
                println!("{:25}-> {advice}", "");
            }
        }
        self.findings.push(finding);
    }

    /// How many are to be mended.
    pub(super) fn to_mend(&self) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == Verdict::Bad).count()
    }

    /// Prints it, if that has not been done on the way.
    pub(super) fn print(&self) {
        if self.json {
            let object = |finding: &Finding| {
                json!({
                    "step": finding.step,
                    "verdict": finding.verdict.word(),
                    "told": finding.told,
                    "advice": finding.advice,
                })
            };
            println!("{:#}", self.findings.iter().map(object).collect::<Value>());
        }
    }
}
