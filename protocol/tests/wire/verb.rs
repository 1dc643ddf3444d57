//! Verbs: found by name, and what each says of itself.

use wharfinger_protocol::ftp::Verb;

#[test]
fn every_verb_is_found_by_its_name_in_any_case() {
    for &verb in Verb::ALL {
        assert_eq!(Verb::from_name(verb.name().as_bytes()), Some(verb));
        assert_eq!(Verb::from_name(verb.name().to_ascii_lowercase().as_bytes()), Some(verb));
        assert!(verb.help().starts_with(verb.name()));
    }
}

#[test]
fn the_x_forms_are_the_verbs_without_it() {
    for (old, verb) in [
        ("XCWD", Verb::Cwd),
        ("xcup", Verb::Cdup),
        ("XPWD", Verb::Pwd),
        ("XMKD", Verb::Mkd),
        ("XRMD", Verb::Rmd),
    ] {
        assert_eq!(Verb::from_name(old.as_bytes()), Some(verb));
    }
}

#[test]
fn what_is_no_verb_is_not_found() {
    for name in
        ["", "US", "USERS", "XCCC", "XSTOR", "MAIL", "XSHA2560", "XSHA_256", "\0PWD", "PWD\0", "PWD ", "1PWD"]
    {
        assert_eq!(Verb::from_name(name.as_bytes()), None, "{name:?}");
    }
}

#[test]
fn only_these_verbs_mean_something_before_login() {
    assert_eq!(
        names(Verb::before_login),
        "USER PASS ACCT REIN QUIT AUTH PBSZ PROT CCC ABOR STAT OPTS LANG HOST SYST NOOP HELP FEAT CLNT"
    );
}

#[test]
fn only_these_verbs_mean_something_in_clear_where_tls_is_required() {
    assert_eq!(names(Verb::before_tls), "QUIT AUTH ABOR STAT OPTS HOST SYST NOOP HELP FEAT CLNT");
}

#[test]
fn only_these_verbs_act_during_a_transfer() {
    assert_eq!(names(Verb::during_transfer), "QUIT ABOR STAT NOOP");
}

#[test]
fn features_are_those_beyond_rfc_959() {
    let features: Vec<_> = Verb::ALL.iter().filter_map(|verb| verb.feature()).collect();
    assert_eq!(
        features,
        [
            "AUTH TLS",
            "PBSZ",
            "PROT",
            "TVFS",
            "STOR ATOMIC",
            "REST STREAM",
            "RANG STREAM",
            "MLST",
            "SIZE",
            "MDTM",
            "MFMT",
            "MFF modify;UNIX.mode;",
            "AVBL",
            "HASH",
            "XCRC",
            "XMD5",
            "XSHA1",
            "XSHA256",
            "XSHA512",
            "EPRT",
            "EPSV",
            "UTF8",
            "LANG EN*",
            "HOST",
            "CLNT",
            "SITE COPY"
        ]
    );
}

fn names(holds: impl Fn(Verb) -> bool) -> String {
    let names: Vec<_> = Verb::ALL.iter().filter(|&&verb| holds(verb)).map(|verb| verb.name()).collect();
    names.join(" ")
}
