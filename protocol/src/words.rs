//! The words that stand in a line a server says: bytes that no control byte is among, so that no
//! name in them can end the line and forge another.

use std::borrow::Cow;

/// One line's text.
pub type Text = Cow<'static, [u8]>;

/// What can become the text of a line.
pub trait IntoText {
    /// The bytes, without a copy.
    fn into_text(self) -> Text;
}

impl IntoText for &'static str {
    fn into_text(self) -> Text {
        Cow::Borrowed(self.as_bytes())
    }
}

impl IntoText for String {
    fn into_text(self) -> Text {
        Cow::Owned(self.into_bytes())
    }
}

impl IntoText for Vec<u8> {
    fn into_text(self) -> Text {
        Cow::Owned(self)
    }
}

/// The text with `?` for its control bytes.
pub(crate) fn clean(text: Text) -> Text {
    if !text.iter().any(u8::is_ascii_control) {
        return text;
    }
    let mut bytes = text.into_owned();
    for byte in bytes.iter_mut().filter(|byte| byte.is_ascii_control()) {
        *byte = b'?';
    }
    Cow::Owned(bytes)
}

/// Appends a name with `?` for its control bytes.
pub(crate) fn push_name(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.iter().any(u8::is_ascii_control) {
        out.extend(bytes.iter().map(|&byte| if byte.is_ascii_control() { b'?' } else { byte }));
    } else {
        out.extend_from_slice(bytes);
    }
}
