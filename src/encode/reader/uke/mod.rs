//! Receipt computer files (レセプト電算処理): comma-separated records whose first item names their
//! kind. A receipt is an RE record and what follows up to the next: HO (insurance), SN (the branch
//! as confirmed online). Everything medical is passed over, KO (public expense) too.

use std::fs::File;
use std::path::{Path, PathBuf};

use ::csv::StringRecord;

use super::decode::DecodingReader;
use super::{Entry, Form, Found, ROW_BYTES_MAX, ReadError, RowRefusal};
use crate::encode::field::Field;
use crate::encode::map::MapFile;
use crate::encode::normalise::date::parse_birth_date;

/// Items of an RE record by their number in the specification.
mod re {
    pub(super) const MONTH: usize = 4;
    pub(super) const NAME: usize = 5;
    pub(super) const SEX: usize = 6;
    pub(super) const BIRTH_DATE: usize = 7;
    pub(super) const CHART: usize = 14;
    pub(super) const NAME_KANA: usize = 37;
}

/// A receipt file.
pub(super) struct UkeForm {
    file: PathBuf,
    rows: ::csv::Reader<DecodingReader<File>>,
    row: StringRecord,
    /// Which item of RE is the record ref.
    record_item: usize,
    payer: String,
    month: String,
    /// Whether `row` is an RE record that was read and not used yet.
    begun: bool,
    receipts: u64,
}

impl UkeForm {
    /// Opens a file.
    pub(super) fn open(path: &Path, map: &MapFile) -> Result<Self, ReadError> {
        let in_map = |error| ReadError::Map {
            file: path.to_owned(),
            error,
        };
        let encoding = map.encoding().map_err(in_map)?;
        let (_, record_item) = map.record_item().map_err(in_map)?;
        let opened = File::open(path).map_err(ReadError::io(path))?;
        let rows = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .quoting(false)
            .flexible(true)
            .buffer_capacity(64 * 1024)
            .from_reader(DecodingReader::new(opened, encoding));
        Ok(Self {
            file: path.to_owned(),
            rows,
            row: StringRecord::new(),
            record_item,
            payer: String::new(),
            month: String::new(),
            begun: false,
            receipts: 0,
        })
    }

    /// Reads the next record into `row`; false at the end.
    fn next_row(&mut self) -> Result<bool, ReadError> {
        let more = self
            .rows
            .read_record(&mut self.row)
            .map_err(|error| ReadError::of_rows(&self.file, error))?;
        if self.row.as_slice().len() > ROW_BYTES_MAX {
            return Err(ReadError::Malformed {
                file: self.file.clone(),
                line: self.line(),
            });
        }
        Ok(more)
    }

    fn line(&self) -> u64 {
        self.row.position().map_or(0, ::csv::Position::line)
    }

    /// An item of the record, counted from 1 as in the specification.
    fn item(&self, number: usize) -> &str {
        self.row.get(number - 1).unwrap_or_default().trim()
    }

    /// Takes the fields of an RE record.
    fn begin(&mut self, entry: &mut Entry) {
        self.receipts += 1;
        entry.begin(self.line());
        let month = if self.month.is_empty() {
            claim_month(self.item(re::MONTH))
        } else {
            self.month.clone()
        };
        let own = self.item(self.record_item);
        if !own.is_empty() {
            // Receipts are numbered anew for each month and payer.
            entry.record_ref = [month.as_str(), &self.payer, own].join("-");
        }
        entry.set(Field::EventDate, self.item(re::MONTH));
        entry.set(Field::NameKanji, self.item(re::NAME));
        entry.set(Field::NameKana, self.item(re::NAME_KANA));
        entry.set(Field::Sex, self.item(re::SEX));
        entry.set(Field::BirthDate, self.item(re::BIRTH_DATE));
        entry.set(Field::PatientNumber, self.item(re::CHART));
    }

    /// Reads on to the end of a receipt.
    fn finish(&mut self, entry: &mut Entry) -> Result<Found, ReadError> {
        let mut fault = None;
        loop {
            if !self.next_row()? {
                break;
            }
            match self.item(1) {
                "RE" => {
                    self.begun = true;
                    break;
                }
                "HO" if self.row.len() < 4 => {
                    fault = fault.or(Some((self.line(), RowRefusal::ReceiptItems)));
                }
                "HO" => {
                    for (field, number) in [
                        (Field::InsurerNo, 2),
                        (Field::InsurerSymbol, 3),
                        (Field::InsuredNumber, 4),
                    ] {
                        entry.set(field, self.item(number));
                    }
                }
                // Confirmed insurance; other codes are public expense.
                "SN" if self.item(2) == "1" => entry.set(Field::InsuredBranch, self.item(7)),
                "IR" => self.header(),
                _ => {}
            }
        }
        Ok(
            fault.map_or(Found::Record, |(line, reason)| Found::Refused {
                line,
                reason,
            }),
        )
    }

    fn header(&mut self) {
        self.payer = self.item(2).to_owned();
        self.month = claim_month(self.item(8));
    }
}

impl Form for UkeForm {
    fn read(&mut self, entry: &mut Entry) -> Result<Found, ReadError> {
        loop {
            if !std::mem::take(&mut self.begun) && !self.next_row()? {
                if self.receipts == 0 {
                    return Err(ReadError::Form {
                        file: self.file.clone(),
                        line: 1,
                        rule: "a receipt file holds at least one RE record",
                    });
                }
                return Ok(Found::End);
            }
            let line = self.line();
            match self.item(1) {
                "RE" if self.row.len() < re::BIRTH_DATE => {
                    self.receipts += 1;
                    entry.begin(line);
                    // What belongs to it is passed over with it.
                    self.finish(entry)?;
                    let reason = RowRefusal::ReceiptItems;
                    return Ok(Found::Refused { line, reason });
                }
                "RE" => {
                    self.begin(entry);
                    return self.finish(entry);
                }
                "HO" | "SN" => {
                    let reason = RowRefusal::ReceiptOrder;
                    return Ok(Found::Refused { line, reason });
                }
                "IR" => self.header(),
                _ => {}
            }
        }
    }

    fn position(&self) -> u64 {
        self.rows.get_ref().position()
    }
}

/// A month as yyyymm: so written, or as era code, year and month (`50607`). Anything else stays.
fn claim_month(written: &str) -> String {
    let era_code = written.len() == 5 && written.is_ascii();
    let first = era_code.then(|| parse_birth_date(&format!("{written}01")).ok());
    match first.flatten() {
        Some(day) => format!("{:04}{:02}", day.year, day.month.unwrap_or_default()),
        None => written.to_owned(),
    }
}

#[cfg(test)]
mod tests;
