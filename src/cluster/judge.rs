//! May two clusters be one person? What a life course, a household number and given names say.
//!
//! Rules hold between whole clusters; between linked rows alone, a third row would go round them.
//!
//! | rule | what it says | where it is kept |
//! |---|---|---|
//! | C1 | one birth; two sources may report it in one year, and one source if name and birth date agree | here, forbids a merge |
//! | C2 | one death; likewise | here, forbids a merge |
//! | C3 | nothing after death; to the end of the next year, as only years are known | here, forbids a merge |
//! | C4 | nothing before birth; from the year before it was filed | here, and of one record at its source |
//! | C5 | age window of the event | at the source, where both dates are known; takes bits off |
//! | C6 | sex is constant | in the match weight: no tag tells the sex alone |
//! | C7 | deliveries and their spacing | nowhere: no kind of event says delivery |
//! | C8 | overlapping stays | nowhere: days do not leave the source |
//! | C9 | one insured number, two branches; twins by two given names | here, forbids a merge |
//! | C10 | insurer of the old at 75 | expected; its absence is checked at the source and takes bits off |
//! | C11 | slips of era or day and month in birth dates | in the comparisons |
//! | C12 | stand-in for a newborn's given name | at the source: the name is missing |
//! | C13 | one municipality at a time | nowhere: people move within a year |

use super::ClusterRules;
use crate::terms::{EventKind, RecordTable, RowIndex, SetAsideReason, SourceCheck};

/// Events may be billed in the year after a death, and a birth filed in the year after it.
const SLACK_YEARS: u16 = 1;
/// A given name counts as one of two if so many sources give it.
const TWIN_SOURCES: usize = 2;

/// What the rules look at in a row.
#[derive(Clone, Copy)]
pub(super) struct Fact {
    pub(super) row: RowIndex,
    presence: u64,
    /// Tags of insured number and branch; 0 is missing.
    person: u64,
    branch: u64,
    /// Tags of the given name in kana and in kanji; 0 is missing.
    given: [u64; 2],
    source: u16,
    year: u16,
    kind: EventKind,
    /// Rules that the source found broken and that take evidence away.
    pub(super) broken: u8,
}

/// Applies the rules to rows of a table.
pub(super) struct Judge<'a> {
    pub(super) table: &'a RecordTable,
    pub(super) rules: &'a ClusterRules,
}

impl Judge<'_> {
    /// What the rules look at in a row.
    pub(super) fn fact(&self, row: RowIndex) -> Fact {
        let tag = |tag: usize| self.table.tag(row, tag).map_or(0, |slots| slots[0]);
        let branch = self.rules.branch;
        let mut given = [0; 2];
        for (slot, index) in given.iter_mut().zip(&self.rules.given) {
            *slot = tag(*index);
        }
        let flags = self.table.flags(row);
        let penalised = [
            SourceCheck::AgeWindow,
            SourceCheck::BeforeBirth,
            SourceCheck::SeniorInsurer,
        ];
        let broken = penalised.iter().filter(|check| check.is_in(flags)).count();
        Fact {
            row,
            presence: self.table.presence(row) & self.rules.comparable_mask,
            person: branch.map_or(0, |tags| tag(tags.person)),
            branch: branch.map_or(0, |tags| tag(tags.branch)),
            given,
            source: self.table.source(row),
            year: self.table.year(row),
            kind: self.table.kind(row),
            broken: broken as u8,
        }
    }

    /// How many pairs of a row here and a row there can be compared: they share at least half of
    /// what the poorer one has.
    pub(super) fn comparable(&self, a: &[Fact], b: &[Fact]) -> usize {
        let comparable = |x: &Fact, y: &Fact| {
            let poorer = x.presence.count_ones().min(y.presence.count_ones());
            (x.presence & y.presence).count_ones() * 2 >= poorer.max(1)
        };
        a.iter()
            .map(|x| b.iter().filter(|y| comparable(x, y)).count())
            .sum()
    }

    /// The rule of the life course that forbids the two to be one person, if there is one. The same
    /// whichever comes first.
    pub(super) fn conflict(&self, a: &[Fact], b: &[Fact]) -> Option<SetAsideReason> {
        let pairs = || a.iter().flat_map(|x| b.iter().map(move |y| (x, y)));
        let once = |kind: EventKind| {
            let twice =
                |x: &Fact, y: &Fact| x.kind == kind && y.kind == kind && !self.is_one_event(x, y);
            (a.iter().any(|x| x.kind == kind) && b.iter().any(|y| y.kind == kind))
                && pairs().any(|(x, y)| twice(x, y))
        };
        let either = |rule: fn(&[Fact], &[Fact]) -> bool| rule(a, b) || rule(b, a);
        if once(EventKind::Birth) {
            Some(SetAsideReason::TwoBirths)
        } else if once(EventKind::Death) {
            Some(SetAsideReason::TwoDeaths)
        } else if either(died_before) {
            Some(SetAsideReason::AfterDeath)
        } else if either(born_after) {
            Some(SetAsideReason::BeforeBirth)
        } else if pairs().any(|(x, y)| branches_differ(x, y)) {
            Some(SetAsideReason::Branch)
        } else if self.are_twins(a, b) {
            Some(SetAsideReason::Twins)
        } else {
            None
        }
    }

    /// Two given names, each told by two sources or more, and date of birth and sex of one.
    fn are_twins(&self, a: &[Fact], b: &[Fact]) -> bool {
        if a.len() < TWIN_SOURCES || b.len() < TWIN_SOURCES {
            return false;
        }
        let shares_name = |x: &Fact, y: &Fact| {
            let mut names = x.given.iter().zip(&y.given);
            names.any(|(x, y)| x == y && *x != 0)
        };
        if a.iter().any(|x| b.iter().any(|y| shares_name(x, y))) {
            return false;
        }
        let well_told = |side: &[Fact], fact: &Fact, slot: usize| {
            let same = |other: &&Fact| other.given[slot] == fact.given[slot];
            let mut others = side.iter().filter(same);
            fact.given[slot] != 0 && others.any(|other| other.source != fact.source)
        };
        (0..self.rules.given.len()).any(|slot| {
            let told_here = a.iter().filter(|x| well_told(a, x, slot));
            told_here.into_iter().any(|x| {
                b.iter()
                    .any(|y| well_told(b, y, slot) && self.share_birth_and_sex(x.row, y.row))
            })
        })
    }

    fn share_birth_and_sex(&self, x: RowIndex, y: RowIndex) -> bool {
        self.share(&self.rules.birth_and_sex, x, y)
    }

    /// Whether two rows agree in one of these tags.
    fn share(&self, tags: &[usize], x: RowIndex, y: RowIndex) -> bool {
        tags.iter().any(|tag| {
            let (x, y) = (self.table.tag(x, *tag), self.table.tag(y, *tag));
            x.is_some() && x == y
        })
    }

    /// One birth or death that two sources report, or one source twice: a registry files some events
    /// again, and then name and birth date are the same. Those of twins are not.
    fn is_one_event(&self, x: &Fact, y: &Fact) -> bool {
        let one_year = x.year == y.year && x.year != 0;
        one_year && (x.source != y.source || self.share(&self.rules.named_birth, x.row, y.row))
    }
}

/// Something happened on this side after a death on that.
fn died_before(here: &[Fact], there: &[Fact]) -> bool {
    let deaths = there.iter().filter(|y| y.kind == EventKind::Death);
    let years = deaths.map(|y| y.year).filter(|year| *year != 0);
    let last = years.max();
    last.is_some_and(|died| here.iter().any(|x| x.year > died + SLACK_YEARS))
}

/// Something happened on this side before a birth on that.
fn born_after(here: &[Fact], there: &[Fact]) -> bool {
    let births = there.iter().filter(|y| y.kind == EventKind::Birth);
    let years = births.map(|y| y.year).filter(|year| *year != 0);
    let first = years.min();
    first.is_some_and(|born| {
        here.iter()
            .any(|x| x.year != 0 && x.year + SLACK_YEARS < born)
    })
}

/// One insured number, two branches.
fn branches_differ(x: &Fact, y: &Fact) -> bool {
    x.person == y.person && x.person != 0 && x.branch != y.branch && x.branch != 0 && y.branch != 0
}
