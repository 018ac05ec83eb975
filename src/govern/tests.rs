use super::audit::record;
use super::release::release;
use super::*;
use crate::store::{Store, verify};

fn event(object: &str) -> AuditEvent {
    AuditEvent {
        action: "entities.lookup".into(),
        actor: "pipelines/main".into(),
        object: object.into(),
        outcome: "done".into(),
        time_unix_s: 7,
    }
}

#[test]
fn json_is_canonical() {
    assert_eq!(
        event("entities").to_canonical_json(),
        r#"{"action":"entities.lookup","actor":"pipelines/main","object":"entities","outcome":"done","time_unix_s":7}"#
    );
}

#[test]
fn an_event_is_in_the_log_before_a_value_leaves() {
    let directory = tempfile::tempdir().expect("directory");
    let store = Store::open(directory.path(), &crate::store::testing::key()).expect("open");
    let before = store.head();
    let value =
        release(&store, "pipelines/main", "entities.lookup", "entities", 42).expect("released");
    assert_eq!(*value.as_ref(), 42);
    assert_eq!(value.into_inner(), 42);
    let head = store.head();
    assert_eq!(head.sequence, before.sequence + 1);
    drop(store);
    assert_eq!(
        verify(directory.path(), &crate::store::testing::key())
            .expect("whole")
            .head,
        head
    );
    let text = crate::store::testing::log_text(directory.path());
    assert!(text.contains(r#""object":"entities","outcome":"released""#));
}

#[test]
fn an_event_that_names_a_record_or_an_entity_is_refused_and_nothing_leaves() {
    let directory = tempfile::tempdir().expect("directory");
    let store = Store::open(directory.path(), &crate::store::testing::key()).expect("open");
    let hex = "0123456789abcdef0123456789abcdef";
    for bad in [
        "entities/7".to_owned(),
        "sources/hosp_a/records/HA01".to_owned(),
        format!("lookup {hex}"),
    ] {
        assert!(matches!(
            record(&store, &event(&bad)),
            Err(AuditError::Identifies { field: "object" })
        ));
        assert!(release(&store, "a", "b", &bad, ()).is_err());
    }
    for good in ["entities", "sources/hosp_a/records", &format!("runs/{hex}")] {
        record(&store, &event(good)).expect(good);
    }
    assert_eq!(store.head().sequence, 3);
}

#[test]
fn fields_are_bounded() {
    let directory = tempfile::tempdir().expect("directory");
    let store = Store::open(directory.path(), &crate::store::testing::key()).expect("open");
    for bad in [String::new(), "a\nb".to_owned(), "x".repeat(257)] {
        assert!(matches!(
            record(&store, &event(&bad)),
            Err(AuditError::Field { .. })
        ));
    }
}
