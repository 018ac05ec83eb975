use super::*;

fn keys() -> DataKeys {
    DataKeys::fixed()
}

#[test]
fn a_payload_opens_only_in_its_context() {
    let keys = keys();
    let sealed = keys.seal_payload(b"here", &[0; 32], b"payload");
    assert_eq!(sealed.len(), 7 + NONCE_BYTES + TAG_BYTES);
    let opened = keys.open_payload(b"here", sealed.clone());
    assert!(opened.is_ok_and(|payload| payload == b"payload"));
    assert!(keys.open_payload(b"there", sealed.clone()).is_err());
    for at in 0..sealed.len() {
        let mut flipped = sealed.clone();
        flipped[at] ^= 0x40;
        assert!(keys.open_payload(b"here", flipped).is_err(), "flip at {at}");
        let cut = sealed[..at].to_vec();
        assert!(keys.open_payload(b"here", cut).is_err(), "cut at {at}");
    }
}

#[test]
fn a_sequence_used_again_has_another_nonce_unless_all_is_equal() {
    let keys = keys();
    let nonce = |chain: u8, payload: &[u8]| {
        let sealed = keys.seal_payload(b"4", &[chain; 32], payload);
        sealed[..NONCE_BYTES].to_vec()
    };
    assert_ne!(nonce(0, b"a"), nonce(0, b"b"));
    assert_ne!(nonce(0, b"a"), nonce(1, b"a"));
    assert_eq!(nonce(0, b"a"), nonce(0, b"a"));
}

#[test]
fn hashes_of_one_record_have_nothing_in_common() {
    let keys = keys();
    let source = SourceId::new("a").expect("source");
    let other = SourceId::new("b").expect("source");
    assert_ne!(keys.record_key(&source, "x"), keys.tombstone(&source, "x"));
    assert_ne!(keys.record_key(&source, "x"), keys.record_key(&other, "x"));
    assert_ne!(keys.record_key(&source, "x"), keys.record_key(&source, "y"));
}

#[test]
fn a_signature_is_the_same_each_time_and_checks() {
    use ed25519_dalek::{Signature, Verifier, VerifyingKey};
    let keys = keys();
    let signature = keys.sign(b"receipt");
    assert_eq!(signature, keys.sign(b"receipt"));
    let public = VerifyingKey::from_bytes(&keys.public_key()).expect("a key");
    let signature = Signature::from_bytes(&signature);
    assert!(public.verify(b"receipt", &signature).is_ok());
    assert!(public.verify(b"another", &signature).is_err());
}
