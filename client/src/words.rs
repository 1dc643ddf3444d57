//! A line as words: apart at white space, unless it is quoted or behind a backslash.

/// Splits a line. An open quote ends with the line.
pub(crate) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut letters = line.trim_start().chars().peekable();
    while letters.peek().is_some() {
        let mut word = String::new();
        let mut quote = None;
        while let Some(letter) = letters.next() {
            match (letter, quote) {
                ('\\', None | Some('"')) => word.extend(letters.next()),
                (mark, Some(open)) if mark == open => quote = None,
                (mark @ ('"' | '\''), None) => quote = Some(mark),
                (letter, None) if letter.is_whitespace() => break,
                (letter, _) => word.push(letter),
            }
        }
        words.push(word);
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
    }
    words
}

/// A word as it must be typed to be read as itself.
pub(crate) fn escaped(word: &str) -> String {
    let mut typed = String::new();
    for letter in word.chars() {
        if letter.is_whitespace() || matches!(letter, '\\' | '"' | '\'') {
            typed.push('\\');
        }
        typed.push(letter);
    }
    typed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_and_backslashes_keep_words_together() {
        let words = split(r#"  put "my file" it\'s 'a "b"' "" x\\y "#);
        assert_eq!(words, ["put", "my file", "it's", "a \"b\"", "", "x\\y"]);
        assert!(split("   ").is_empty());
    }

    proptest! {
        #[test]
        fn what_is_escaped_is_read_as_itself(word in "[^\\p{Cc}]{1,12}") {
            prop_assert_eq!(split(&escaped(&word)), [word]);
        }
    }
}
