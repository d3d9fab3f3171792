use super::*;

#[test]
fn a_name_that_looks_like_a_key_is_still_a_name() {
    let digits = "ab".repeat(32);
    let key = Subject::Key(digits.parse().unwrap());
    let name = Subject::Name(digits.parse().unwrap());
    assert_ne!(key.position(), name.position());
    for subject in [key, name] {
        assert_eq!(subject.to_string().parse(), Ok(subject));
    }
    for text in ["", "@", "anna", "@Anna"] {
        assert!(text.parse::<Subject>().is_err(), "{text:?}");
    }
}
