//! How full the filters are and how often each tag was made: what a source should look at before
//! it submits.

use std::fmt::Write;

use serde::Serialize;

use crate::encode::file::FilterShape;
use crate::terms::RecordEncoding;

/// Fill of one filter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FilterFill {
    /// Name in the profile.
    pub name: String,
    /// Length in bits.
    pub bits: u32,
    /// Records that have it.
    pub records: u64,
    /// Mean share of bits that are set where it is present, `[0, 1]`; 0 if no record has it.
    pub mean_fill: f64,
    /// Fewest and most bits that are set where it is present.
    pub popcount_range: [u32; 2],
    /// Standard deviation of the number of bits that are set.
    pub popcount_deviation: f64,
}

/// Count of one tag.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TagFill {
    /// Name in the profile.
    pub name: String,
    /// Records that have it.
    pub records: u64,
}

/// Fill of all filters and tags.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fill {
    /// Encodings that were counted.
    pub records: u64,
    /// The filters, in order.
    pub filters: Vec<FilterFill>,
    /// The tags, in order.
    pub tags: Vec<TagFill>,
}

/// Ones of one filter over all records that have it.
#[derive(Clone, Copy, Default)]
struct Ones {
    records: u64,
    sum: u64,
    squares: u64,
    least: u32,
    most: u32,
}

/// Counts encodings of one shape.
pub struct FillCounter {
    shapes: Vec<FilterShape>,
    tag_names: Vec<String>,
    filters: Vec<Ones>,
    tags: Vec<u64>,
    records: u64,
}

impl FillCounter {
    /// Counts nothing yet.
    #[must_use]
    pub fn new(filters: &[FilterShape], tags: &[String]) -> Self {
        Self {
            shapes: filters.to_vec(),
            tag_names: tags.to_vec(),
            filters: vec![Ones::default(); filters.len()],
            tags: vec![0; tags.len()],
            records: 0,
        }
    }

    /// Counts one encoding.
    pub fn add(&mut self, encoding: &RecordEncoding) {
        self.records += 1;
        let mut words = encoding.filters.iter();
        for (index, shape) in self.shapes.iter().enumerate() {
            let own = words.by_ref().take(shape.bits as usize / 64);
            let ones: u32 = own.map(|word| word.count_ones()).sum();
            if encoding.presence & (1 << index) != 0 {
                let filter = &mut self.filters[index];
                let is_first = filter.records == 0;
                filter.least = if is_first {
                    ones
                } else {
                    filter.least.min(ones)
                };
                filter.most = filter.most.max(ones);
                filter.records += 1;
                filter.sum += u64::from(ones);
                filter.squares += u64::from(ones).pow(2);
            }
        }
        for (index, count) in self.tags.iter_mut().enumerate() {
            *count += (encoding.presence >> (self.shapes.len() + index)) & 1;
        }
    }

    /// What was counted.
    #[must_use]
    pub fn finish(self) -> Fill {
        let filters = self.shapes.into_iter().zip(self.filters);
        let filters = filters.map(|(shape, ones)| {
            let records = ones.records.max(1) as f64;
            let mean = ones.sum as f64 / records;
            let variance = ones.squares as f64 / records - mean * mean;
            FilterFill {
                name: shape.name,
                bits: shape.bits,
                records: ones.records,
                mean_fill: mean / f64::from(shape.bits),
                popcount_range: [ones.least, ones.most],
                popcount_deviation: variance.max(0.0).sqrt(),
            }
        });
        let tags = self.tag_names.into_iter().zip(self.tags);
        Fill {
            records: self.records,
            filters: filters.collect(),
            tags: tags
                .map(|(name, records)| TagFill { name, records })
                .collect(),
        }
    }
}

impl Fill {
    /// A table for people.
    #[must_use]
    pub fn to_text(&self) -> String {
        let share = |records: u64| 100.0 * records as f64 / self.records.max(1) as f64;
        let mut text = String::new();
        let filters = self.filters.iter().map(|filter| filter.name.len());
        let names = filters.chain(self.tags.iter().map(|tag| tag.name.len()));
        let width = names.max().unwrap_or_default();
        for filter in &self.filters {
            // Writing to a `String` cannot fail.
            let _ = writeln!(
                text,
                "filter {:<width$} in {:>5.1} % of records, {:.1} % of {} bits set ({} to {}, deviation {:.1})",
                filter.name,
                share(filter.records),
                100.0 * filter.mean_fill,
                filter.bits,
                filter.popcount_range[0],
                filter.popcount_range[1],
                filter.popcount_deviation
            );
        }
        for tag in &self.tags {
            let _ = writeln!(
                text,
                "tag    {:<width$} in {:>5.1} % of records",
                tag.name,
                share(tag.records)
            );
        }
        text
    }
}
