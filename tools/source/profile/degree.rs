//! `musubi-encode profile degree`: with how many strangers a person shares each tag and each salt,
//! counted on a source's own records.
//!
//! Whoever holds the encodings and a list of names re-identifies by the graph "who shares a value
//! with whom"; what leaks follows the mean degree of that graph. So the degree decides whether a
//! recipe may be used, and it grows with the population.

use std::collections::HashSet;
use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::holders::{person, sharing, short_hash, sizes, variants};
use super::load_profile;
use crate::encode::map::MapFile;
use crate::encode::{Identity, Row, known_but_for_rarity, open_source};
use crate::terms::profile::{Buckets, Deletions};
use crate::terms::{Attribute, LinkageProfile, SourceId};
use crate::tools::source::Outcome;

/// Mean degree of a tag above which it is warned of.
pub(super) const DEGREE_WARN: f64 = 0.02;
/// Mean degree of a tag above which it should not be used.
pub(super) const DEGREE_STRONG: f64 = 0.1;
/// People in one salt above which a filter is warned of: it was measured at 12.5.
const SALT_WARN: f64 = 15.0;
/// People in one salt above which it should not be used.
const SALT_STRONG: f64 = 50.0;

/// Arguments of `profile degree`.
#[derive(Args)]
pub struct DegreeArguments {
    /// The source's file
    input: PathBuf,
    /// The map file: how the file is written
    #[arg(long, value_name = "FILE")]
    map: PathBuf,
    /// Linkage profile: a name that comes with musubi, or a file
    #[arg(long, value_name = "NAME_OR_FILE", default_value = "jp-standard")]
    profile: String,
    /// People that all sources have together; without it the people of this source
    #[arg(long, value_name = "N")]
    population: Option<u64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was counted.
#[derive(Debug, Serialize)]
pub struct DegreeReport {
    /// Name of the linkage profile.
    pub profile: String,
    /// Records read.
    pub records: u64,
    /// People among them: by patient number, or else by name, birth date and sex.
    pub people: u64,
    /// People that the means are scaled to.
    pub population: u64,
    /// One for each tag, and for each filter with a salt.
    pub recipes: Vec<RecipeDegree>,
    /// Sum of the tags' scaled means: the graph of all tags together has at most this mean degree.
    pub all_tags_at_most: f64,
}

/// With how many others a person shares one recipe's value.
#[derive(Debug, Serialize)]
pub struct RecipeDegree {
    /// `tag` or `salt`.
    pub kind: &'static str,
    /// Name in the profile.
    pub name: String,
    /// What the value is made of.
    pub attributes: Vec<&'static str>,
    /// People that have a value.
    pub people: u64,
    /// Further people whose name is a common one, and who have a value that nobody shares (`pad`).
    pub padded: u64,
    /// Mean number of other people with the same value, in this source, padded people counted.
    pub mean: f64,
    /// The largest such number.
    pub max: u64,
    /// The mean at the stated population.
    pub mean_at_population: f64,
    /// Mean number of further people, at the stated population, who share the value of a tag with
    /// buckets by chance: they differ in the attribute that is in buckets.
    pub by_chance_at_population: f64,
    /// What to think of it, if it is high.
    pub warning: Option<String>,
}

/// Counts the values of one recipe.
struct Counter {
    kind: &'static str,
    name: String,
    attributes: Vec<Attribute>,
    /// One letter of this attribute is left out for further slots.
    deletions: Option<Deletions>,
    /// One attribute enters in buckets.
    buckets: Option<Buckets>,
    /// Hash of a value, and of the person who has it.
    holders: Vec<(u64, u64)>,
    /// The same of the value without the attribute in buckets.
    beside: Vec<(u64, u64)>,
    /// Whether a tag pads, and the people that it pads for.
    pad: bool,
    padded: Vec<u64>,
}

/// Runs `profile degree`.
///
/// # Errors
/// Profile, map or file are refused.
pub(super) fn run(arguments: &DegreeArguments) -> Outcome {
    let profile = load_profile(&arguments.profile)?;
    let map = MapFile::read(&arguments.map)?;
    // Patient numbers are only compared within the file: any name will do.
    let source = SourceId::new("source")?;
    let mut counters = counters(&profile);
    let mut people = HashSet::new();
    let mut records = 0;
    for row in open_source(&arguments.input, &map, &source)? {
        let Row::Record(record) = row? else { continue };
        records += 1;
        let person =
            person(&record.identity).unwrap_or_else(|| short_hash([record.record_ref.as_str()]));
        people.insert(person);
        for counter in &mut counters {
            counter.add(&record.identity, person);
        }
    }
    let people = people.len() as u64;
    let population = arguments.population.unwrap_or(people);
    let scale = population.saturating_sub(1) as f64 / people.saturating_sub(1).max(1) as f64;
    let recipes: Vec<RecipeDegree> = counters
        .into_iter()
        .map(|counter| counter.finish(scale))
        .collect();
    let tags = recipes.iter().filter(|recipe| recipe.kind == "tag");
    let report = DegreeReport {
        profile: profile.name,
        records,
        people,
        population,
        all_tags_at_most: tags.map(|recipe| recipe.mean_at_population).sum(),
        recipes,
    };
    if arguments.json {
        return Ok(serde_json::to_string_pretty(&report)? + "\n");
    }
    Ok(to_text(&report))
}

fn counters(profile: &LinkageProfile) -> Vec<Counter> {
    let tags = profile.tags.iter().flat_map(|tag| {
        let lists = tag.parts.iter().enumerate();
        lists.map(|(index, part)| Counter {
            kind: "tag",
            name: match index {
                0 => tag.name.clone(),
                _ => format!("{} ({})", tag.name, index + 1),
            },
            attributes: part.attributes.clone(),
            deletions: tag.deletions,
            buckets: tag.buckets,
            holders: Vec::new(),
            beside: Vec::new(),
            pad: tag.pad,
            padded: Vec::new(),
        })
    });
    let salted = profile
        .filters
        .iter()
        .filter(|filter| !filter.salt.is_empty());
    let salts = salted.map(|filter| Counter {
        kind: "salt",
        name: filter.name.clone(),
        attributes: filter.salt.clone(),
        deletions: None,
        buckets: None,
        holders: Vec::new(),
        beside: Vec::new(),
        pad: false,
        padded: Vec::new(),
    });
    tags.chain(salts).collect()
}

impl Counter {
    fn add(&mut self, identity: &Identity, person: u64) {
        let values: Option<Vec<&str>> = self
            .attributes
            .iter()
            .map(|attribute| identity.known(*attribute))
            .collect();
        let Some(values) = values else {
            let mut attributes = self.attributes.iter();
            if self.pad && attributes.all(|attribute| known_but_for_rarity(identity, *attribute)) {
                self.padded.push(person);
            }
            return;
        };
        self.holders
            .push((short_hash(values.iter().copied()), person));
        if let Some(buckets) = self.buckets {
            let named = self.attributes.iter().zip(&values);
            let others = named.filter(|(attribute, _)| **attribute != buckets.attribute);
            let hash = short_hash(others.map(|(_, value)| *value));
            self.beside.push((hash, person));
        }
        let Some(deletions) = self.deletions else {
            return;
        };
        let whole = identity.known(deletions.attribute).unwrap_or_default();
        for variant in variants(whole, deletions.slots as usize) {
            let named = self.attributes.iter().zip(&values);
            let values = named.map(|(attribute, value)| {
                if *attribute == deletions.attribute {
                    variant.as_str()
                } else {
                    *value
                }
            });
            self.holders.push((short_hash(values), person));
        }
    }

    fn finish(mut self, scale: f64) -> RecipeDegree {
        let groups = sizes(&mut self.holders);
        let shared = sharing(&groups);
        let beside = sharing(&sizes(&mut self.beside)).saturating_sub(shared);
        let people: HashSet<u64> = self.holders.iter().map(|(_, person)| *person).collect();
        self.padded.sort_unstable();
        self.padded.dedup();
        self.padded.retain(|person| !people.contains(person));
        let padded = self.padded.len();
        let all = (people.len() + padded).max(1) as f64;
        let mean = shared as f64 / all;
        let mean_at_population = mean * scale;
        let buckets = self.buckets.map_or(1, |buckets| buckets.count);
        let by_chance_at_population = beside as f64 / all / f64::from(buckets) * scale;
        let telling = telling_degree(mean_at_population, by_chance_at_population);
        RecipeDegree {
            kind: self.kind,
            warning: warning(self.kind, telling),
            name: self.name,
            attributes: self.attributes.iter().map(|found| found.name()).collect(),
            people: people.len() as u64,
            padded: padded as u64,
            mean,
            max: groups.iter().max().map_or(0, |size| size - 1),
            mean_at_population,
            by_chance_at_population,
        }
    }
}

/// The degree that an attacker can use. Of those who share a tag with buckets, he sees in his own graph only
/// those who truly agree; the others blur it, in proportion.
pub(super) fn telling_degree(truly: f64, by_chance: f64) -> f64 {
    match truly > 0.0 {
        true => truly * truly / (truly + by_chance),
        false => 0.0,
    }
}

/// What to say of a mean degree.
pub(super) fn warning(kind: &str, degree: f64) -> Option<String> {
    let people = degree + 1.0;
    if kind == "salt" {
        return if people > SALT_STRONG {
            Some(format!(
                "STRONG: {people:.0} people in one salt; above {SALT_STRONG:.0} graph matching finds whole \
                 blocks. Take a profile without this filter, or one key for each region"
            ))
        } else if people > SALT_WARN {
            Some(format!(
                "{people:.0} people in one salt; this kind of filter was measured at 12.5 and 50"
            ))
        } else {
            None
        };
    }
    if degree > DEGREE_STRONG {
        Some(format!(
            "STRONG: shared with {degree:.2} strangers on average; whoever has a list of names can match \
             people by this tag. Drop it or bind one more attribute"
        ))
    } else if degree > DEGREE_WARN {
        Some(format!(
            "shared with {degree:.3} strangers on average; {DEGREE_WARN} or less is advised"
        ))
    } else {
        None
    }
}

fn to_text(report: &DegreeReport) -> String {
    let names = report.recipes.iter().map(|recipe| recipe.name.len());
    let width = names.max().unwrap_or_default().max("recipe".len());
    let mut text = format!(
        "{} on {} records of {} people, scaled to a population of {}\n\
         {:<5} {:<width$} {:>9} {:>9} {:>10} {:>7} {:>14} {:>10}\n",
        report.profile,
        report.records,
        report.people,
        report.population,
        "kind",
        "recipe",
        "people",
        "padded",
        "mean",
        "max",
        "at population",
        "by chance"
    );
    for recipe in &report.recipes {
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "{:<5} {:<width$} {:>9} {:>9} {:>10.5} {:>7} {:>14.5} {:>10.5}",
            recipe.kind,
            recipe.name,
            recipe.people,
            recipe.padded,
            recipe.mean,
            recipe.max,
            recipe.mean_at_population,
            recipe.by_chance_at_population
        );
    }
    let _ = writeln!(
        text,
        "all tags together: at most {:.4}",
        report.all_tags_at_most
    );
    for recipe in &report.recipes {
        if let Some(warning) = &recipe.warning {
            let _ = writeln!(text, "warning: {} {}: {warning}", recipe.kind, recipe.name);
        }
    }
    text + "Mean and max: other people with the same value. Padded: people with a common name, who have a value that\n\
            nobody shares; the mean counts them. By chance: further people in the same bucket, who blur what the \
            others tell.\nThe scaling takes this source as a fair sample: \
            a source of one town\nreads high for places, and one that sees single members of households reads \
            low. People are told apart by patient number,\nor else by name, birth date and sex.\n"
}
