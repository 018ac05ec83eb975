//! The linkage profile: the recipe that all sources and the server agree on.
//!
//! A profile is a TOML file. It says which filters and tags make up an encoding (`filter`, `tag`)
//! and which comparisons the server draws from them (`comparison`). Its fingerprint travels with
//! every submission; the server refuses any other. It holds no secret.

mod alternative;
mod layout;
mod parse;
mod rung;

pub use alternative::Alternative;
pub use layout::Layout;
pub use parse::ProfileError;

use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Attribute, AttributeSet};

/// SHA-256 of the profile's text with line ends as LF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// The keyed functions that keys, filters, tags and noise are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Suite {
    /// BLAKE3: keyed, extendable output.
    #[default]
    #[serde(rename = "blake3")]
    Blake3,
    /// HMAC-SHA-256 in counter mode: on the lists of ciphers that governments keep (CRYPTREC).
    #[serde(rename = "hmac-sha-256")]
    HmacSha256,
}

impl Suite {
    /// The name used in profiles.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Blake3 => "blake3",
            Self::HmacSha256 => "hmac-sha-256",
        }
    }
}

/// The profile's filter is a cryptographic longterm key as clkhash makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClkhashRecipe {
    /// Linkage schema of clkhash, version 3: JSON. The profile's rules look at its length only.
    pub schema: String,
}

/// How an attribute's value is cut into grams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grams {
    /// Pairs of neighbouring characters, the value padded at both ends.
    Bigrams,
    /// Single characters, numbered by occurrence.
    Unigrams,
    /// The value as one gram.
    Whole,
    /// Prefixes of 3, 5 and all characters.
    Prefixes,
    /// A date `yyyymmdd` as year, month and day, and its pairs of parts.
    DateParts,
}

/// One attribute's part in a filter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// What is cut into grams.
    pub attribute: Attribute,
    /// How.
    pub grams: Grams,
    /// How many bits each gram sets, 1 to 64.
    pub bits_per_gram: u32,
}

/// A Bloom filter of the encoding.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterRecipe {
    /// Unique name within the profile; part of key derivation.
    pub name: String,
    /// Length in bits after hardening, a multiple of 64.
    pub bits: u32,
    /// What goes in. If all attributes are missing, so is the filter.
    pub features: Vec<Feature>,
    /// Attributes mixed into every gram's hash, so that only records that agree on all of them
    /// are comparable. If one is missing, the filter is missing.
    pub salt: Vec<Attribute>,
    /// Complement-balance: half of the bits are the filter, the other half its complement.
    pub balance: bool,
    /// Probability that a bit is flipped, fixed per (source secret, record); 0 to 0.4.
    pub flip: f64,
}

/// A keyed equality tag of the encoding: one or more slots, each equal if and only if all that it
/// binds is equal (up to a chance of 2⁻⁶⁴; with buckets, see there).
#[derive(Debug, Clone, PartialEq)]
pub struct TagRecipe {
    /// Unique name within the profile; part of key derivation.
    pub name: String,
    /// What each list of attributes binds; at least one list. Slot *i* is made of list *i*. If one
    /// attribute is missing, the tag is missing.
    pub parts: Vec<TagPart>,
    /// Slots after the lists that hold variants of the first list with one character left out of
    /// this attribute. Slots that no variant fills hold values that no other record shares.
    pub deletions: Option<Deletions>,
    /// One attribute enters as a bucket of its values.
    pub buckets: Option<Buckets>,
    /// Whether a record that lacks an attribute holds values that no other record shares, instead
    /// of none: then nobody can tell who has the attribute.
    pub pad: bool,
    /// Whether pairs that share a slot of this tag become candidate pairs.
    pub block: bool,
}

/// One list of attributes of a tag.
#[derive(Debug, Clone, PartialEq)]
pub struct TagPart {
    /// What it binds, in order.
    pub attributes: Vec<Attribute>,
    /// What agrees when the slot agrees: the attributes, without one in buckets, and all that they
    /// imply.
    pub agrees: AttributeSet,
}

/// Variants of a tag with one character left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletions {
    /// Which attribute loses a character.
    pub attribute: Attribute,
    /// Slots for variants.
    pub slots: u32,
}

/// An attribute of a tag that enters as a bucket of its values.
///
/// Which bucket a value falls into is drawn by the key anew for each value of the tag's other attributes.
/// So strangers who differ in this attribute alone share the tag with a chance of 1 in `count`, and who
/// they are depends on the key: whoever encodes a list of names under a key of his own sees other pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buckets {
    /// Which attribute.
    pub attribute: Attribute,
    /// How many buckets, 2 to 2²⁴.
    pub count: u32,
}

impl TagRecipe {
    /// Whether slots may be filled with values that no other record shares.
    #[must_use]
    pub fn is_padded(&self) -> bool {
        self.pad || self.deletions.is_some()
    }

    /// Slots of the tag.
    #[must_use]
    pub fn slots(&self) -> u32 {
        // A profile's rules keep the lists within 32.
        self.parts.len() as u32 + self.deletions.map_or(0, |deletions| deletions.slots)
    }

    /// What agrees when the tag agrees in its first slot.
    #[must_use]
    pub fn agrees(&self) -> AttributeSet {
        self.parts[0].agrees
    }

    /// All attributes that a record must have for the tag to be made, each once.
    #[must_use]
    pub fn attributes(&self) -> Vec<Attribute> {
        let mut all: Vec<Attribute> = Vec::new();
        for attribute in self.parts.iter().flat_map(|part| &part.attributes) {
            if !all.contains(attribute) {
                all.push(*attribute);
            }
        }
        all
    }
}

/// What a rung of a comparison looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence {
    /// The attribute is known to agree or disagree, derived from the tags.
    Attribute(Attribute),
    /// The attribute agrees or is one character off, as a tag with deletions shows.
    Near(Attribute),
    /// The tag at this index shares a slot, or none.
    Tag(usize),
    /// The tag at this index agrees, and nothing else tells of its attribute in buckets.
    Bucket(usize),
    /// Dice similarity of the filter at this index, at least this much.
    Filter {
        /// Which filter.
        index: usize,
        /// Lower bound of similarity, `[0, 1]`.
        at_least: f64,
    },
}

/// One agreement level of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Rung {
    /// What must hold.
    pub evidence: Evidence,
    /// The rung can only be asked if these attributes are known to agree (a salted filter).
    pub given: AttributeSet,
    /// m-probability to start the estimation from.
    pub m: f64,
    /// u-probability, where it cannot be measured on random pairs; `None`: measure.
    pub u: Option<f64>,
    /// Only one person reaches it: what relatives share does not.
    pub personal: bool,
    /// Another comparison counts this evidence: where the rung holds, the level is *missing*.
    pub counted_elsewhere: bool,
}

/// A comparison: a ladder of rungs. The level of a pair is the first rung that holds; *disagree*
/// if some rung could be asked and none held; *missing* if none could be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Unique name within the profile.
    pub name: String,
    /// Best agreement first, at least one.
    pub rungs: Vec<Rung>,
    /// The first rung is an equal value, and split by how common the value is: as many levels as
    /// [`VALUE_CLASSES`], the rarest first.
    pub by_frequency: bool,
    /// u is counted on the random pairs that agree best on these comparisons, by index.
    pub u_among: Vec<usize>,
}

/// Upper ends of the classes of values by the share of records that hold the value; the last class
/// has none.
pub const VALUE_CLASS_SHARES: [f64; 2] = [0.000_2, 0.002];

/// How many classes of values there are: rare, usual, common.
pub const VALUE_CLASSES: usize = VALUE_CLASS_SHARES.len() + 1;

impl Comparison {
    /// How many levels the comparison has without *missing*: one for each rung or class of its
    /// values, and *disagree*, which is the last.
    #[must_use]
    pub fn levels(&self) -> usize {
        self.level_of_rung(self.rungs.len()) + 1
    }

    /// First level of a rung; of *disagree* if `rung` is the number of rungs.
    #[must_use]
    pub fn level_of_rung(&self, rung: usize) -> usize {
        if self.by_frequency && rung > 0 {
            rung + VALUE_CLASSES - 1
        } else {
            rung
        }
    }

    /// The rung that a level belongs to; `None`: *disagree*.
    #[must_use]
    pub fn rung_of_level(&self, level: usize) -> Option<usize> {
        (0..self.rungs.len()).rev().find(|rung| {
            self.level_of_rung(*rung) <= level && level < self.level_of_rung(self.rungs.len())
        })
    }
}

/// A checked linkage profile.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkageProfile {
    /// Name, as in `jp-standard`.
    pub name: String,
    /// Version of the recipe.
    pub version: u32,
    /// One sentence for people.
    pub summary: String,
    /// What the console must say about attacks that the profile does not stop.
    pub warning: Option<String>,
    /// What keys, filters, tags and noise are made with.
    pub suite: Suite,
    /// If set, the only filter is made by clkhash's rules and not by its recipe.
    pub clkhash: Option<ClkhashRecipe>,
    /// Whether encodings tell the calendar year of the event, in clear: what happened after a
    /// death or before a birth is then seen.
    pub event_year: bool,
    /// Filters, in order.
    pub filters: Vec<FilterRecipe>,
    /// Tags, in order.
    pub tags: Vec<TagRecipe>,
    /// Comparisons, in order: the components of a comparison vector.
    pub comparisons: Vec<Comparison>,
    /// Who else two alike records may be, besides one person and two strangers.
    pub alternatives: Vec<Alternative>,
    text: String,
}

/// Profiles that come with musubi: name and text.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("jp-standard", include_str!("../profiles/jp-standard.toml")),
    ("jp-national", include_str!("../profiles/jp-national.toml")),
    ("jp-fields", include_str!("../profiles/jp-fields.toml")),
    ("en-standard", include_str!("../profiles/en-standard.toml")),
    ("en-fields", include_str!("../profiles/en-fields.toml")),
    ("clkhash-v3", include_str!("../profiles/clkhash-v3.toml")),
];

impl LinkageProfile {
    /// Reads and checks a profile.
    ///
    /// # Errors
    /// [`ProfileError`], naming the place and the rule.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        parse::parse(&text.replace("\r\n", "\n"))
    }

    /// A profile that comes with musubi.
    ///
    /// # Errors
    /// [`ProfileError::Unknown`] with the names that exist.
    pub fn built_in(name: &str) -> Result<Self, ProfileError> {
        let (_, text) = BUILT_IN
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| {
                let known: Vec<&str> = BUILT_IN.iter().map(|(known, _)| *known).collect();
                ProfileError::Unknown {
                    name: name.into(),
                    known: known.join(", "),
                }
            })?;
        Self::parse(text)
    }

    /// The text it was read from, line ends as LF.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of [`Self::text`].
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Sha256::digest(self.text.as_bytes()).into())
    }

    /// Shape of the encodings that this profile makes.
    #[must_use]
    pub fn layout(&self) -> Layout {
        let bits: Vec<u32> = self.filters.iter().map(|filter| filter.bits).collect();
        let slots: Vec<u32> = self.tags.iter().map(TagRecipe::slots).collect();
        Layout::new(&bits, &slots, self.event_year)
    }

    /// Whether some tag can propose pairs. Without one a server can take the encodings in, but not
    /// link them.
    #[must_use]
    pub fn can_block(&self) -> bool {
        self.tags.iter().any(|tag| tag.block)
    }
}

#[cfg(test)]
mod tests;
