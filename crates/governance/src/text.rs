//! Characters that deceive the eye. Names are compared byte for byte, after this.

/// Longest name that is looked at.
const BYTES_MAX: usize = 128;

/// Why a text is no plain name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Nothing stands there.
    #[error("an empty name")]
    Empty,
    /// Too long to be looked at.
    #[error("a name of {0} bytes")]
    Long(usize),
    /// It takes no room on the screen.
    #[error("the invisible character U+{0:04X}")]
    Invisible(u32),
    /// It turns the direction of writing.
    #[error("the direction mark U+{0:04X}")]
    Direction(u32),
    /// It is no printable ASCII character, however much it looks like one.
    #[error("the character U+{0:04X}")]
    Foreign(u32),
}

/// Admits printable ASCII without spaces: venues, symbols, chains and addresses are made of nothing else, so every
/// look-alike of another script, every invisible character and every direction mark is out.
///
/// # Errors
/// [`Unfit`] names the first character that does not belong.
pub fn check_plain(text: &str) -> Result<(), Unfit> {
    if text.is_empty() {
        return Err(Unfit::Empty);
    }
    if text.len() > BYTES_MAX {
        return Err(Unfit::Long(text.len()));
    }
    match text.chars().find(|character| !character.is_ascii_graphic()) {
        None => Ok(()),
        Some(character) => Err(classify(u32::from(character))),
    }
}

/// Sorted by what a person should be told; the ranges are those of the Unicode Character Database (categories Cf, Zs).
fn classify(code: u32) -> Unfit {
    match code {
        0x061C | 0x200E | 0x200F | 0x202A..=0x202E | 0x2066..=0x2069 => Unfit::Direction(code),
        0x0000..=0x0020
        | 0x007F..=0x00A0
        | 0x00AD
        | 0x034F
        | 0x115F
        | 0x1160
        | 0x17B4
        | 0x17B5
        | 0x180B..=0x180F
        | 0x2000..=0x200D
        | 0x2028
        | 0x2029
        | 0x202F
        | 0x205F..=0x2064
        | 0x206A..=0x206F
        | 0x3000
        | 0x3164
        | 0xFE00..=0xFE0F
        | 0xFEFF
        | 0xFFA0
        | 0xFFF9..=0xFFFB
        | 0xE0000..=0xE0FFF => Unfit::Invisible(code),
        _ => Unfit::Foreign(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_pass_and_every_disguise_is_named() {
        for plain in ["BTC/USDT", "BTC/USDT:USDT-250328-50000-C", "0x52908400098527886E0F7030069857D2E4169EE7"] {
            assert_eq!(check_plain(plain), Ok(()));
        }
        for (text, want) in [
            ("", Unfit::Empty),
            ("BTC\u{200B}/USDT", Unfit::Invisible(0x200B)),
            ("BTC\u{FEFF}", Unfit::Invisible(0xFEFF)),
            ("BTC\u{FFF9}", Unfit::Invisible(0xFFF9)),
            ("BTC\u{00AD}", Unfit::Invisible(0xAD)),
            ("BTC \u{202E}", Unfit::Invisible(0x20)),
            ("\u{202E}CTB", Unfit::Direction(0x202E)),
            ("B\u{2066}TC", Unfit::Direction(0x2066)),
            ("\u{0412}TC/USDT", Unfit::Foreign(0x412)), // Cyrillic VE
            ("BT\u{0421}/USDT", Unfit::Foreign(0x421)), // Cyrillic ES
            ("\u{FF22}TC", Unfit::Foreign(0xFF22)),     // full width B
            ("BTC\n", Unfit::Invisible(0x0A)),
            ("BTC\0", Unfit::Invisible(0)),
            ("BTC\u{1b}[2J", Unfit::Invisible(0x1B)),
        ] {
            assert_eq!(check_plain(text), Err(want), "{text:?}");
        }
        assert_eq!(check_plain(&"A".repeat(129)), Err(Unfit::Long(129)));
    }
}
