//! Rust source seen as code alone: comments, text and tests are taken out, line numbers stay.

/// `source` with every comment, every text and every character literal blanked, and without what is
/// compiled for tests only.
pub(crate) fn product_code(source: &str) -> String {
    without_tests(&masked(source))
}

/// Whether a file is compiled for tests only, as far as its path tells.
pub(crate) fn is_test_file(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "tests" | "benches" | "tests.rs")) || path.ends_with("_tests.rs")
}

/// Blanks comments, strings and characters.
fn masked(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        if end > at {
            out.extend(bytes[at..end].iter().map(|&byte| if byte == b'\n' { b'\n' } else { b' ' }));
            at = end;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Where the comment or literal that starts at `at` ends; `at` itself if none starts there.
fn literal_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    match rest {
        [b'/', b'/', ..] => at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => at + block_comment(rest),
        [b'"', ..] => at + quoted(rest),
        [b'r', b'"' | b'#', ..] if !follows_word(bytes, at) => raw_string(rest).map_or(at, |length| at + length),
        [b'\'', ..] => character(rest).map_or(at, |length| at + length),
        _ => at,
    }
}

fn follows_word(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_') && bytes[at - 1] != b'b'
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0usize, 0usize);
    while at < rest.len() {
        match rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != b'"' {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

fn raw_string(rest: &[u8]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|&&byte| byte == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return None; // a raw identifier, such as r#type
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = 2 + hashes;
    let end = rest[body..].windows(close.len()).position(|window| window == close)?;
    Some(body + end + close.len())
}

/// A character literal, as opposed to a lifetime.
fn character(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        let close = rest[3..].iter().position(|&byte| byte == b'\'')?;
        return Some(3 + close + 1);
    }
    let text = String::from_utf8_lossy(&rest[1..rest.len().min(6)]).into_owned();
    let first = text.chars().next()?;
    (rest.get(1 + first.len_utf8()) == Some(&b'\'')).then_some(2 + first.len_utf8())
}

/// Blanks each item that stands under `#[cfg(test)]`. Expects masked source.
fn without_tests(masked: &str) -> String {
    let mut out = String::with_capacity(masked.len());
    let mut rest = masked;
    while let Some(start) = rest.find("#[cfg(test)]") {
        let (before, item) = rest.split_at(start);
        out.push_str(before);
        let length = item_length(item);
        out.extend(item[..length].chars().map(|letter| if letter == '\n' { '\n' } else { ' ' }));
        rest = &item[length..];
    }
    out.push_str(rest);
    out
}

/// The length of the item at the start of `text`: to its closing brace, or to the semicolon before any brace.
fn item_length(text: &str) -> usize {
    let mut depth = 0usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &str) {
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed(&product_code(source)), squeezed(expected));
        assert_eq!(product_code(source).lines().count(), source.lines().count(), "line numbers must stay");
    }

    #[test]
    fn comments_and_texts_are_no_code() {
        check("let a = 1; // SystemTime\nlet b = \"std::fs { \\\" \";", "let a = 1; let b = ;");
        check("/* one /* two */ still */ let c = r#\"tokio \" {\"#;", "let c = ;");
    }

    #[test]
    fn a_lifetime_is_not_a_character() {
        check("fn f<'a>(x: &'a str) -> char { '{' }", "fn f<'a>(x: &'a str) -> char { }");
        check("let q = '\\''; let e = 'é'; let n = b'\\n';", "let q = ; let e = ; let n = b ;");
    }

    #[test]
    fn what_is_compiled_for_tests_is_left_out() {
        check("fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { \"}\" }\n}\nfn c() {}", "fn a() {} fn c() {}");
        check("#[cfg(test)]\nmod tests;\nfn a() {}", "fn a() {}");
    }
}
