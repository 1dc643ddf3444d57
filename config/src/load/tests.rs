//! Sentences about where a setting comes from, and about the ones that are refused.

use super::*;

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn without_file_and_environment_the_defaults_hold() {
    let config = load(None, env(&[("PATH", "/bin")])).unwrap();
    assert_eq!(config.store_url(), "sqlite://wharfinger-data/wharfinger.db");
    assert_eq!(config.storage_root(), Path::new("wharfinger-data/files"));
    assert_eq!(config.ftp.listen, ["[::]:2121".parse().unwrap()]);
}

#[test]
fn the_environment_lies_over_the_file() {
    let file =
        file("[ftp]\nlisten = \"127.0.0.1:21\"\nbanner = \"from the file\"\n[limits]\nidle_seconds = 5\n");
    let given = env(&[
        ("WHARFINGER_FTP__LISTEN", "127.0.0.1:2121,[::1]:2121"),
        ("WHARFINGER_LIMITS__IDLE_SECONDS", "7"),
        ("WHARFINGER_STORAGE__DURABLE", "true"),
        ("WHARFINGER_ADMIN_PASSWORD", "a secret word"),
    ]);
    let config = load(Some(file.path()), given).unwrap();
    assert_eq!(config.ftp.listen.len(), 2);
    assert_eq!(config.ftp.banner, "from the file");
    assert_eq!(config.limits.idle_seconds, 7);
    assert!(config.storage.durable);
    assert_eq!(config.admin.password.expose(), "a secret word");
    assert!(!format!("{config:?}").contains("a secret word"));
}

#[test]
fn a_list_is_written_with_commas_or_as_one() {
    let text = "10.0.0.0/8=own, 192.168.1.0/24=192.168.1.9";
    let config = load(None, env(&[("WHARFINGER_FTP__PUBLIC_ADDRESS_OVERRIDES", text)])).unwrap();
    let listed =
        file("[ftp]\npublic_address_overrides = [\"10.0.0.0/8=own\", \"192.168.1.0/24=192.168.1.9\"]\n");
    let same = load(Some(listed.path()), []).unwrap();
    assert_eq!(config.ftp.public_address_overrides, same.ftp.public_address_overrides);
    assert_eq!(config.ftp.public_address_overrides[0].address, None);
    assert_eq!(config.ftp.public_address_overrides[1].address, Some([192, 168, 1, 9].into()));
}

#[test]
fn an_address_stands_for_its_network_wherever_networks_are_listed() {
    let given = env(&[
        ("WHARFINGER_PROXY__TRUSTED", "192.0.2.7, 10.0.0.0/8, 2001:db8::1"),
        ("WHARFINGER_FTP__PUBLIC_ADDRESS_OVERRIDES", "192.0.2.7=own"),
        ("WHARFINGER_TLS__DATA_BINDING_OVERRIDES", "192.0.2.7=required"),
    ]);
    let config = load(None, given).unwrap();
    let trusted: Vec<_> = config.proxy.trusted.iter().map(ToString::to_string).collect();
    assert_eq!(trusted, ["192.0.2.7/32", "10.0.0.0/8", "2001:db8::1/128"]);
    assert_eq!(config.ftp.public_address_overrides[0].to_string(), "192.0.2.7/32=own");
    assert_eq!(config.tls.data_binding_overrides[0].to_string(), "192.0.2.7/32=required");
}

#[test]
fn a_variable_that_ends_in_file_names_a_file_with_the_value() {
    let secret = file("mongodb://u:p@h/db\n");
    let path = secret.path().to_str().unwrap();
    let config = load(None, env(&[("WHARFINGER_STORE__URL_FILE", path)])).unwrap();
    assert_eq!(config.store.url, "mongodb://u:p@h/db");
    let word = file("hunter2 hunter2\n");
    let path = word.path().to_str().unwrap();
    let config = load(None, env(&[("WHARFINGER_ADMIN_PASSWORD_FILE", path)])).unwrap();
    assert_eq!(config.admin.password.expose(), "hunter2 hunter2");
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    let file = file("[ftp]\nlisen = \"127.0.0.1:21\"\n");
    let error = load(Some(file.path()), []).unwrap_err().to_string();
    assert!(error.contains("'ftp.lisen'") && error.contains("'ftp.listen'"), "{error}");
    let error = load(None, env(&[("WHARFINGER_TLS__CONTRL", "required")])).unwrap_err().to_string();
    assert!(error.contains("WHARFINGER_TLS__CONTRL") && error.contains("'tls.control'"), "{error}");
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_and_named() {
    for (name, value) in [
        ("WHARFINGER_LIMITS__IDLE_SECONDS", "soon"),
        ("WHARFINGER_STORAGE__DURABLE", "perhaps"),
        ("WHARFINGER_FTP__LISTEN", "localhost"),
        ("WHARFINGER_FTP__PASSIVE_PORTS", "9-3"),
        ("WHARFINGER_TLS__DATA", "sometimes"),
        ("WHARFINGER_FTP__PUBLIC_ADDRESS_OVERRIDES", "10.0.0.0/8"),
        ("WHARFINGER_FTP__PUBLIC_ADDRESS_OVERRIDES", "10.0.0.0/8=elsewhere"),
        ("WHARFINGER_FTP__PUBLIC_ADDRESS_OVERRIDES", "fd00::/8=10.0.0.1"),
        ("WHARFINGER_FTP__PUBLIC_ADDRESS_OVERRIDES", "fd00::1=10.0.0.1"),
        ("WHARFINGER_PROXY__TRUSTED", "balancer.example"),
        ("WHARFINGER_FTP__ACTIVE_PORT", "65536"),
        ("WHARFINGER_STORE__URL_FILE", "/nowhere/at/all"),
        ("WHARFINGER_STORE__URL", "mysql://localhost/db"),
        ("WHARFINGER_TLS__KEY", "alone.key"),
        ("WHARFINGER_FTP__LISTEN", ""),
        ("WHARFINGER_ANONYMOUS__INCOMING", "/incoming"),
        ("WHARFINGER_ANONYMOUS__INCOMING", "a/../.."),
    ] {
        let error = load(None, env(&[(name, value)])).unwrap_err().to_string();
        assert!(error.len() > 20, "{name}: {error}");
    }
    let broken = file("[limits]\nidle_seconds = \"soon\"\n");
    let error = load(Some(broken.path()), []).unwrap_err().to_string();
    assert!(error.contains("line 2"), "{error}");
}
