//! Salesforce's record ids: 15 characters that tell upper from lower case, or 18 that do not need to.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The 18-character id number `number` of the object whose ids begin with `prefix` (3 characters).
#[must_use]
pub fn make(prefix: &str, number: u64) -> String {
    let mut rest = number;
    let mut digits = [b'0'; 7];
    for place in digits.iter_mut().rev() {
        *place = DIGITS[usize::try_from(rest % 62).unwrap_or(0)];
        rest /= 62;
    }
    let short = format!("{prefix}5g000{}", String::from_utf8_lossy(&digits));
    let suffix = suffix(&short);
    short + suffix.as_str()
}

/// The part of an id that identifies: its first 15 characters. `None` when it is not an id: wrong length, wrong characters, or
/// an ending that does not fit.
#[must_use]
pub fn key(id: &str) -> Option<&str> {
    if !matches!(id.len(), 15 | 18) || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let (short, rest) = id.split_at(15);
    (rest.is_empty() || suffix(short).eq_ignore_ascii_case(rest)).then_some(short)
}

/// The id with 18 characters; what is not an id is returned as it is.
#[must_use]
pub fn long(id: &str) -> String {
    key(id).map_or_else(|| id.to_owned(), |short| format!("{short}{}", suffix(short)))
}

/// Three characters, each of which says which of five characters are upper case.
fn suffix(short: &str) -> String {
    let of = |chunk: &[u8]| {
        let upper = |(place, byte): (usize, &u8)| usize::from(byte.is_ascii_uppercase()) << place;
        char::from(SUFFIX[chunk.iter().enumerate().map(upper).sum::<usize>()])
    };
    short.as_bytes().chunks(5).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_tells_upper_from_lower_case() {
        // The example of the vendor's documentation on 15 and 18 characters.
        assert_eq!(suffix("001A0000006Vm9u"), "IAC");
        assert_eq!(key("001A0000006Vm9uIAC"), Some("001A0000006Vm9u"));
        assert_eq!(key("001A0000006Vm9u"), Some("001A0000006Vm9u"));
        for wrong in [
            "001A0000006Vm9uIAD",
            "001A0000006Vm9",
            "001A0000006Vm9ü",
            "not an id at all!!",
            "",
        ] {
            assert_eq!(key(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn made_ids_are_ids_and_differ() {
        let ids: std::collections::HashSet<String> = (0..5_000).map(|number| make("00Q", number)).collect();
        assert_eq!(ids.len(), 5_000);
        assert!(
            ids.iter()
                .all(|id| id.len() == 18 && id.starts_with("00Q") && key(id).is_some())
        );
    }
}
