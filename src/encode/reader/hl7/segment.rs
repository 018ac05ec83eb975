//! One segment of an HL7 v2 message: fields, repetitions, components, escapes.

/// The characters that separate the parts of a message, from its MSH-1 and MSH-2.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Separators {
    pub(super) field: char,
    pub(super) component: char,
    pub(super) repetition: char,
    pub(super) escape: char,
    pub(super) subcomponent: char,
}

impl Separators {
    /// From the text of an MSH segment. `None` if it does not begin with `MSH`, a separator and
    /// four encoding characters, all different and none a letter, digit or space.
    pub(super) fn of(header: &str) -> Option<Self> {
        let mut rest = header.strip_prefix("MSH")?.chars();
        let mut next = || {
            let usable = |c: &char| c.is_ascii_punctuation();
            rest.next().filter(usable)
        };
        let all = [next()?, next()?, next()?, next()?, next()?];
        let repeated = (1..all.len()).any(|at| all[..at].contains(&all[at]));
        let [field, component, repetition, escape, subcomponent] = all;
        (!repeated).then_some(Self {
            field,
            component,
            repetition,
            escape,
            subcomponent,
        })
    }
}

/// A segment. Plaintext: no `Debug`.
pub(super) struct Segment {
    text: String,
    separators: Separators,
}

impl Segment {
    /// A segment's text as it stands between two line ends.
    pub(super) fn new(text: String, separators: Separators) -> Self {
        Self { text, separators }
    }

    /// Its three letters.
    pub(super) fn name(&self) -> &str {
        self.text.get(..3).unwrap_or_default()
    }

    /// Whether it begins with three letters or digits and then the field separator or nothing.
    pub(super) fn is_well_formed(&self) -> bool {
        let mut rest = self.text.chars();
        let named = rest
            .by_ref()
            .take(3)
            .filter(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
            .count();
        let after = rest.next().is_none_or(|c| c == self.separators.field);
        named == 3 && after
    }

    /// A field by its number in the standard, escapes not resolved; empty if it is not there or
    /// holds the explicit null `""`. MSH-1 is the separator itself.
    pub(super) fn field(&self, number: usize) -> &str {
        let at = if self.name() == "MSH" {
            number.saturating_sub(1)
        } else {
            number
        };
        let mut fields = self.text.split(self.separators.field);
        null_as_empty(fields.nth(at).unwrap_or_default())
    }

    /// The repetitions of a field.
    pub(super) fn repetitions(&self, number: usize) -> impl Iterator<Item = &str> {
        self.field(number).split(self.separators.repetition)
    }

    /// A component of a repetition, from 1: its first subcomponent, escapes resolved.
    pub(super) fn component(&self, repetition: &str, number: usize) -> String {
        let mut components = repetition.split(self.separators.component);
        let found = components.nth(number - 1).unwrap_or_default();
        let first = found.split(self.separators.subcomponent).next();
        self.unescaped(null_as_empty(first.unwrap_or_default()))
    }

    /// The first component of the first repetition of a field.
    pub(super) fn first(&self, number: usize) -> String {
        let repetition = self.repetitions(number).next().unwrap_or_default();
        self.component(repetition, 1)
    }

    /// Resolves `\F\ \S\ \T\ \R\ \E\`. Others (highlighting, hexadecimal, charsets) are dropped;
    /// an escape that is not closed stands for itself.
    fn unescaped(&self, text: &str) -> String {
        let separators = self.separators;
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(separators.escape) {
            out.push_str(before);
            let Some((code, behind)) = after.split_once(separators.escape) else {
                out.push(separators.escape);
                rest = after;
                break;
            };
            match code {
                "F" => out.push(separators.field),
                "S" => out.push(separators.component),
                "T" => out.push(separators.subcomponent),
                "R" => out.push(separators.repetition),
                "E" => out.push(separators.escape),
                _ => {}
            }
            rest = behind;
        }
        out.push_str(rest);
        out
    }
}

/// `""` says that a value is to be deleted: there is none.
fn null_as_empty(text: &str) -> &str {
    if text == "\"\"" { "" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "MSH|^~\\&|HIS";

    #[test]
    fn escapes_are_resolved_and_parts_counted_from_one() {
        let separators = Separators::of(HEADER).expect("well-formed");
        let text = r#"ZZZ|a\T\b^c&d~e|""|\E\\F\\S\\R\\H\x\N\|\open"#;
        let segment = Segment::new(text.into(), separators);
        assert!(segment.is_well_formed());
        assert_eq!(segment.first(1), "a&b");
        let repetitions: Vec<&str> = segment.repetitions(1).collect();
        assert_eq!(segment.component(repetitions[0], 2), "c");
        assert_eq!(segment.component(repetitions[1], 1), "e");
        assert_eq!(segment.component(repetitions[1], 9), "");
        assert_eq!(segment.first(2), "");
        assert_eq!(segment.first(3), "\\|^~x");
        assert_eq!(segment.first(4), "\\open");
        assert_eq!(Segment::new(HEADER.into(), separators).first(3), "HIS");
    }

    #[test]
    fn a_header_names_five_different_separators() {
        for bad in ["", "MSH", "MSH|^~\\", "MSH|^^\\&|", "MSHabcde", "PID|^~\\&"] {
            assert!(Separators::of(bad).is_none(), "{bad}");
        }
    }
}
