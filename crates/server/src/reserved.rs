//! Telephone numbers that nobody has: in each North American area code 555-0100 to 555-0199 are kept for fiction.

/// Area codes in use.
const AREA_CODES: [u32; 100] = [
    202, 201, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228, 229, 231, 234,
    239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 276, 281, 301, 302, 303, 304, 305, 307, 308, 309,
    310, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 323, 325, 330, 331, 334, 336, 337, 339, 347, 351, 352, 360,
    361, 386, 401, 402, 404, 405, 406, 407, 408, 409, 410, 412, 413, 414, 415, 417, 419, 423, 424, 425, 430, 432, 434,
    435, 440, 443, 469, 470, 475, 478, 479,
];

/// So many there are here.
pub const NUMBERS: u32 = 10_000;

/// Area code and last two digits of the `index`-th number; after [`NUMBERS`] there are none.
pub fn american(index: usize) -> Option<(u32, usize)> {
    Some((*AREA_CODES.get(index / 100)?, index % 100))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_number_is_given_twice() {
        let numbers: HashSet<_> = (0..NUMBERS as usize).map(|index| american(index).unwrap()).collect();
        assert_eq!(numbers.len(), NUMBERS as usize);
        assert_eq!(american(NUMBERS as usize), None);
    }
}
