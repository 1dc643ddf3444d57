//! The rules for a password somebody chose. Generated ones obey them by construction.

use super::Password;
use crate::user::Username;

/// The rule a chosen password breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRule {
    /// Shorter than 12 bytes.
    #[error("at least 12 bytes")]
    TooShort,
    /// Longer than 1,024 bytes.
    #[error("at most 1024 bytes")]
    TooLong,
    /// The name of its user, whatever the case.
    #[error("not the username")]
    IsUsername,
    /// One that is tried first.
    #[error("not one of the most used passwords")]
    AmongWorst,
    /// Contains CR, LF or NUL: no FTP client could send it (RFC 959 section 5.3.1).
    #[error("no line ends and no NUL, which FTP cannot carry")]
    Unsendable,
}

impl PasswordRule {
    pub(crate) fn check(password: &Password, username: &Username) -> Result<(), Self> {
        let bytes = password.expose();
        if bytes.len() < 12 {
            return Err(Self::TooShort);
        }
        if bytes.len() > 1_024 {
            return Err(Self::TooLong);
        }
        if bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return Err(Self::Unsendable);
        }
        if bytes.eq_ignore_ascii_case(username.as_str().as_bytes()) {
            return Err(Self::IsUsername);
        }
        let all_the_same = bytes.windows(2).all(|pair| pair.first() == pair.last());
        if all_the_same || WORST.iter().any(|worst| bytes.eq_ignore_ascii_case(worst.as_bytes())) {
            return Err(Self::AmongWorst);
        }
        Ok(())
    }
}

/// From published lists of leaked passwords: those of twelve bytes and more at the top.
const WORST: &[&str] = &[
    "000000000000",
    "012345678910",
    "0123456789ab",
    "0987654321qwerty",
    "111111111111",
    "121212121212",
    "123123123123",
    "1234567890-=",
    "123456789012",
    "1234567890123",
    "12345678910a",
    "1234567891011",
    "12345678910111",
    "123456789123",
    "123456789123456789",
    "123456789abc",
    "1234567890qwerty",
    "1234qwerasdf",
    "1234qwerasdfzxcv",
    "123qwe123qwe",
    "123qweasdzxc",
    "1q2w3e4r5t6y",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc",
    "1qaz2wsx3edc4rfv",
    "abc123abc123",
    "abcd12345678",
    "abcdefghijkl",
    "abcdefghijklm",
    "administrator",
    "administrator1",
    "administrator123",
    "anonymous123",
    "asdfghjkl123",
    "asdfasdfasdf",
    "basketball12",
    "changemenow1",
    "changeme1234",
    "changeme12345",
    "changeme123!",
    "correcthorsebatterystaple",
    "defaultpassword",
    "football1234",
    "iloveyou1234",
    "iloveyou12345",
    "iloveyouforever",
    "letmein12345",
    "letmein123456",
    "master123456",
    "mypassword123",
    "p@ssw0rd1234",
    "p@ssw0rd12345",
    "passw0rd1234",
    "password1234",
    "password12345",
    "password123456",
    "password123!",
    "password1234!",
    "password12!@",
    "passwordpassword",
    "password2024",
    "password2025",
    "password2026",
    "q1w2e3r4t5y6",
    "q1w2e3r4t5y6u7i8o9p0",
    "qazwsxedcrfv",
    "qwe123qwe123",
    "qweasdzxc123",
    "qwer1234qwer",
    "qwerty123456",
    "qwerty1234567",
    "qwerty12345678",
    "qwertyqwerty",
    "qwertyuiop[]",
    "qwertyuiop12",
    "qwertyuiop123",
    "qwertyuiopasdfghjkl",
    "qwertyuiopasdfghjklzxcvbnm",
    "secret123456",
    "superman1234",
    "test12345678",
    "testtesttest",
    "unknownunknown",
    "welcome12345",
    "welcome123456",
    "wharfinger123",
    "zxcvbnm12345",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_named_when_it_is_broken() {
        let name: Username = "Camera-Seven".parse().unwrap();
        let cases: [(&[u8], Result<(), PasswordRule>); 9] = [
            (b"elevenbytes", Err(PasswordRule::TooShort)),
            (b"twelve bytes", Ok(())),
            (&[b'a', b'b'].repeat(512), Ok(())),
            (&[b'x'; 1_025], Err(PasswordRule::TooLong)),
            (b"camera-seven", Err(PasswordRule::IsUsername)),
            (b"PassWord1234", Err(PasswordRule::AmongWorst)),
            (b"xxxxxxxxxxxx", Err(PasswordRule::AmongWorst)),
            (b"two lines\r\nhere", Err(PasswordRule::Unsendable)),
            ("sechs Wörter".as_bytes(), Ok(())),
        ];
        for (password, verdict) in cases {
            let found = PasswordRule::check(&Password::new(password), &name);
            assert_eq!(found, verdict, "{}", String::from_utf8_lossy(password));
        }
    }

    #[test]
    fn the_list_holds_only_what_the_other_rules_let_through() {
        assert!(WORST.iter().all(|worst| worst.len() >= 12));
    }
}
