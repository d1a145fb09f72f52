//! Bytes in hexadecimal digits.

/// The bytes that these digits spell; white space between them says nothing.
pub(crate) fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits: String = hexadecimal.split_whitespace().collect();
    assert_eq!(digits.len() % 2, 0, "half a byte");
    let pair = |pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.as_bytes().chunks(2).map(pair).collect()
}
