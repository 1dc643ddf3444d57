//! From file and environment to a [`Config`]: the file first, then the environment over it.
//! A key that no program knows is refused with the nearest known one, because a setting that
//! silently does nothing is how a server stays open that its owner believes closed.

use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use toml::{Table, Value};

use crate::{ClientCertificate, Config, MFTP_SWITCHES};

/// Variables that begin so are settings.
const PREFIX: &str = "WHARFINGER_";
/// Those that end so name a file with the value.
const FROM_FILE: &str = "_FILE";

/// What is wrong with the configuration, as a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file named can't be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, or a value of the wrong kind.
    #[error("{origin}: {reason}")]
    Invalid {
        /// The file, or the variable.
        origin: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// No program has such a key.
    #[error("{origin}: there is no setting '{key}'; the nearest one is '{nearest}'")]
    Unknown {
        /// The file, or the variable.
        origin: String,
        /// As written.
        key: String,
        /// What may have been meant.
        nearest: String,
    },
}

/// Reads the file, if one is named, and the given environment over it.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let known = known()?;
    let mut settings = match file {
        Some(path) => read_file(path, &known)?,
        None => Table::new(),
    };
    for (variable, text) in environment {
        if let Some(name) = variable.strip_prefix(PREFIX) {
            apply(&mut settings, &known, &variable, name, text)?;
        }
    }
    let origin = file.map_or_else(|| "configuration".to_owned(), |path| path.display().to_string());
    let config = Config::deserialize(Value::Table(settings)).map_err(|error| invalid(&origin, &error))?;
    check(&config).map_err(|reason| ConfigError::Invalid { origin, reason: reason.to_owned() })?;
    Ok(config)
}

/// The files that hold values of this environment.
pub fn secret_files(
    environment: impl IntoIterator<Item = (String, String)>,
) -> impl Iterator<Item = PathBuf> {
    let named = |variable: &str| variable.starts_with(PREFIX) && variable.ends_with(FROM_FILE);
    environment.into_iter().filter(move |(variable, _)| named(variable)).map(|(_, file)| file.into())
}

/// What a value's type can't say.
fn check(config: &Config) -> Result<(), &'static str> {
    let url = &config.store.url;
    let known_scheme =
        ["sqlite://", "mongodb://", "mongodb+srv://"].iter().any(|scheme| url.starts_with(scheme));
    if !url.is_empty() && !known_scheme {
        return Err("store.url must begin with sqlite:// or mongodb://");
    }
    if config.tls.certificate.as_os_str().is_empty() != config.tls.key.as_os_str().is_empty() {
        return Err("tls.certificate and tls.key belong together: set both or neither");
    }
    let asked = [
        config.ftp.client_certificate,
        config.ftp.implicit_tls_client_certificate,
        config.mftp.client_certificate,
    ];
    if config.tls.client_ca.as_os_str().is_empty() && asked != [ClientCertificate::None; 3] {
        return Err("client certificates are asked for, but tls.client_ca names nobody to trust them from");
    }
    let incoming = &config.anonymous.incoming;
    if !incoming.is_empty() && incoming.split('/').any(|name| matches!(name, "" | "." | "..")) {
        return Err("anonymous.incoming must be a path below anonymous.root, such as incoming");
    }
    let listeners =
        [&config.ftp.listen, &config.ftp.implicit_tls_listen, &config.mftp.listen, &config.mftp.tls_listen];
    if listeners.iter().all(|addresses| addresses.is_empty()) {
        return Err(
            "ftp.listen is empty, and so are the other listeners: the file server would serve nobody",
        );
    }
    let is_switch = |word: &String| MFTP_SWITCHES.iter().any(|name| name.eq_ignore_ascii_case(word));
    if !config.mftp.disabled_commands.iter().all(is_switch) {
        return Err("mftp.disabled_commands may hold LIST, RETR, STOR, DELE, RMDR, MKDR, CHWD, SIZE, RNME, \
                    MDTM, PWRD and WAMI");
    }
    Ok(())
}

/// Every key there is, with its default: what serialising the defaults gives.
fn known() -> Result<Table, ConfigError> {
    Table::try_from(Config::default()).map_err(|error| invalid("defaults", &error))
}

fn read_file(path: &Path, known: &Table) -> Result<Table, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let origin = path.display().to_string();
    let table: Table = toml::from_str(&text).map_err(|error| invalid(&origin, &error))?;
    // Once straight into the type, because only that error names line and column.
    refuse_unknown(&table, known, "", &origin)?;
    toml::from_str::<Config>(&text).map_err(|error| invalid(&origin, &error))?;
    Ok(table)
}

fn refuse_unknown(table: &Table, known: &Table, section: &str, origin: &str) -> Result<(), ConfigError> {
    for (key, value) in table {
        let path = if section.is_empty() { key.clone() } else { format!("{section}.{key}") };
        match (known.get(key), value) {
            (Some(Value::Table(inner)), Value::Table(table)) => refuse_unknown(table, inner, &path, origin)?,
            (Some(_), _) => {}
            (None, _) => return Err(unknown(origin, &path)?),
        }
    }
    Ok(())
}

/// Lays one variable over the settings. `FTP__LISTEN` is `ftp.listen`; a name that ends in
/// `_FILE` names a file that holds the value, so that secrets stay out of the environment.
fn apply(
    settings: &mut Table,
    known: &Table,
    variable: &str,
    name: &str,
    text: String,
) -> Result<(), ConfigError> {
    if let Some(default) = look_up(known, &path_of(name)) {
        return set(settings, &path_of(name), typed(variable, default, text)?);
    }
    if let Some(default) = name.strip_suffix(FROM_FILE).and_then(|name| look_up(known, &path_of(name))) {
        let file = PathBuf::from(&text);
        let held = std::fs::read_to_string(&file)
            .map_err(|source| ConfigError::Unreadable { path: file, source })?;
        let value = typed(variable, default, held.trim_end_matches(['\r', '\n']).to_owned())?;
        return set(settings, &path_of(name.trim_end_matches(FROM_FILE)), value);
    }
    Err(unknown(variable, &path_of(name).join("."))?)
}

/// The key's path. The first owner's password has the short name that people expect.
fn path_of(name: &str) -> Vec<String> {
    match name {
        "ADMIN_PASSWORD" => vec!["admin".to_owned(), "password".to_owned()],
        _ => name.split("__").map(str::to_lowercase).collect(),
    }
}

fn look_up<'a>(known: &'a Table, path: &[String]) -> Option<&'a Value> {
    let (last, sections) = path.split_last()?;
    let mut table = known;
    for section in sections {
        table = table.get(section)?.as_table()?;
    }
    table.get(last).filter(|value| !value.is_table())
}

/// The text as the kind of value that the default is.
fn typed(variable: &str, default: &Value, text: String) -> Result<Value, ConfigError> {
    let refuse = |kind: &str| ConfigError::Invalid {
        origin: variable.to_owned(),
        reason: format!("a {kind} is wanted here"),
    };
    match default {
        Value::Integer(_) => text.parse().map(Value::Integer).map_err(|_| refuse("whole number")),
        Value::Boolean(_) => text.parse().map(Value::Boolean).map_err(|_| refuse("'true' or 'false'")),
        _ => Ok(Value::String(text)),
    }
}

fn set(settings: &mut Table, path: &[String], value: Value) -> Result<(), ConfigError> {
    let Some((last, sections)) = path.split_last() else { return Ok(()) };
    let mut table = settings;
    for section in sections {
        let entry = table.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
        let Some(inner) = entry.as_table_mut() else {
            return Err(ConfigError::Invalid {
                origin: section.clone(),
                reason: "is a section, not a value".to_owned(),
            });
        };
        table = inner;
    }
    table.insert(last.clone(), value);
    Ok(())
}

fn unknown(origin: &str, key: &str) -> Result<ConfigError, ConfigError> {
    let mut names = Vec::new();
    collect(&known()?, "", &mut names);
    let nearest = names.into_iter().min_by_key(|name| strsim::damerau_levenshtein(name, key));
    Ok(ConfigError::Unknown {
        origin: origin.to_owned(),
        key: key.to_owned(),
        nearest: nearest.unwrap_or_default(),
    })
}

fn collect(table: &Table, section: &str, names: &mut Vec<String>) {
    for (key, value) in table {
        let path = if section.is_empty() { key.clone() } else { format!("{section}.{key}") };
        match value {
            Value::Table(inner) => collect(inner, &path, names),
            _ => names.push(path),
        }
    }
}

fn invalid(origin: &str, error: &impl ToString) -> ConfigError {
    ConfigError::Invalid { origin: origin.to_owned(), reason: error.to_string().trim_end().to_owned() }
}

#[cfg(test)]
mod tests;
