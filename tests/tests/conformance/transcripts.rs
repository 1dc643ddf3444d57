//! The transcripts in `tests/transcripts`, one a topic, each in clear and under TLS.

use std::fs;

use crate::place::Protection;
use crate::script::{folder, play};

macro_rules! transcripts {
    ($($name:ident)*) => {
        const ALL: &[&str] = &[$(stringify!($name)),*];
        $(mod $name {
            use super::*;
            #[test] fn comes_true_in_clear() { play(stringify!($name), Protection::Clear); }
            #[test] fn comes_true_under_tls() { play(stringify!($name), Protection::Tls); }
        })*
    };
}

transcripts! {
    active_mode
    allo
    append
    defaults
    directories
    epsv_all
    features
    hash
    help
    lists
    login
    minimum
    mlst
    modify_facts
    modify_time
    parameters
    patterns
    range
    rename
    restart
    site
    size_and_mdtm
    stat
    text
    unique
}

#[test]
fn no_transcript_is_forgotten() {
    let files =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        files.filter_map(|name| name.strip_suffix(".txt").map(str::to_owned)).collect();
    names.sort();
    assert_eq!(names, ALL);
}
