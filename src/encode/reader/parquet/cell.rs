//! Which types of column are read, and what a cell of each is as text: the text that a CSV of the
//! same rows has.
//!
//! A type that has no one text is refused when the file is opened. An instant is one of them: the day
//! that it falls on depends on the time zone, and a birth date a day off would part a person's records.

use std::borrow::Cow;

use ::parquet::basic::{
    Compression, ConvertedType, LogicalType, Repetition, TimeUnit, Type as Physical,
};
use ::parquet::file::metadata::ParquetMetaData;
use ::parquet::record::Field as Cell;
use ::parquet::schema::types::Type;

/// How the cells of a column become text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellForm {
    /// Text, in UTF-8 as Parquet has it, whole and decimal numbers, `true` and `false`.
    Plain,
    /// Bytes that some writers mean as text; they have to be UTF-8.
    Bytes,
    /// Days from 1970-01-01.
    Date,
    /// Local time from 1970-01-01, in this many units a second.
    LocalTime(i64),
}

/// What a cell is as text.
pub(super) enum CellText<'a> {
    /// This.
    Is(Cow<'a, str>),
    /// Bytes that are not UTF-8.
    NotUtf8,
}

impl CellForm {
    /// The form of a column.
    ///
    /// # Errors
    /// The rule that the column's type breaks.
    pub(super) fn of(column: &Type) -> Result<Self, &'static str> {
        let basic = column.get_basic_info();
        let repeated = basic.has_repetition() && basic.repetition() == Repetition::REPEATED;
        if !column.is_primitive() || repeated {
            return Err("a column holds one value a row, no list, map or structure");
        }
        let instant = "a point in time has a day only in a time zone: write the column as dates";
        match (column.get_physical_type(), basic.logical_type_ref()) {
            (Physical::INT96, _) => return Err(instant),
            (_, Some(LogicalType::Timestamp(time))) if time.is_adjusted_to_u_t_c => {
                return Err(instant);
            }
            (_, Some(LogicalType::Timestamp(time))) => {
                return Ok(Self::LocalTime(match time.unit {
                    TimeUnit::MILLIS => 1_000,
                    TimeUnit::MICROS => 1_000_000,
                    TimeUnit::NANOS => 1_000_000_000,
                }));
            }
            (_, Some(LogicalType::Time(_) | LogicalType::Float16 | LogicalType::Uuid)) => {
                return Err("a column holds text, numbers or dates");
            }
            _ => {}
        }
        match (column.get_physical_type(), basic.converted_type()) {
            (_, ConvertedType::DATE) => Ok(Self::Date),
            (_, ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS) => Err(instant),
            (_, ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::DECIMAL)
            | (Physical::BOOLEAN | Physical::FLOAT | Physical::DOUBLE, ConvertedType::NONE) => {
                Ok(Self::Plain)
            }
            (Physical::INT32 | Physical::INT64, converted)
                if !matches!(
                    converted,
                    ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS
                ) =>
            {
                Ok(Self::Plain)
            }
            (Physical::BYTE_ARRAY, ConvertedType::NONE) => Ok(Self::Bytes),
            _ => Err("a column holds text, numbers or dates"),
        }
    }

    /// A cell of such a column as a CSV would hold it.
    pub(super) fn text(self, cell: &Cell) -> CellText<'_> {
        let owned = |text: String| CellText::Is(Cow::Owned(text));
        match (self, cell) {
            (Self::Bytes, Cell::Bytes(bytes)) => match std::str::from_utf8(bytes.data()) {
                Ok(text) => CellText::Is(Cow::Borrowed(text)),
                Err(_) => CellText::NotUtf8,
            },
            (Self::Date, Cell::Date(days)) => owned(date(i64::from(*days))),
            (Self::LocalTime(units), Cell::Long(time)) => owned(local_time(*time, units)),
            (Self::LocalTime(_), Cell::TimestampMillis(time)) => owned(local_time(*time, 1_000)),
            (Self::LocalTime(_), Cell::TimestampMicros(time)) => {
                owned(local_time(*time, 1_000_000))
            }
            (_, Cell::Str(text)) => CellText::Is(Cow::Borrowed(text)),
            // Whole numbers next to empty cells become floating in many tools, and empty cells NaN.
            (_, Cell::Float(number)) if !number.is_nan() => owned(number.to_string()),
            (_, Cell::Double(number)) if !number.is_nan() => owned(number.to_string()),
            (_, Cell::Null | Cell::Float(_) | Cell::Double(_)) => CellText::Is(Cow::Borrowed("")),
            (_, Cell::Decimal(_)) => owned(without_fraction(&cell.to_string()).to_owned()),
            (_, other) => owned(other.to_string()),
        }
    }
}

/// The columns that are compressed in a way that is not read, each with the rule.
pub(super) fn unreadable_columns(
    metadata: &ParquetMetaData,
) -> impl Iterator<Item = (&str, &'static str)> {
    let columns = metadata
        .row_groups()
        .iter()
        .flat_map(|group| group.columns());
    columns.filter_map(|column| {
        let readable = matches!(
            column.compression(),
            Compression::UNCOMPRESSED
                | Compression::SNAPPY
                | Compression::GZIP(_)
                | Compression::ZSTD(_)
        );
        let name = column.column_path().parts().first()?;
        let rule = "a column is uncompressed or compressed with Snappy, gzip or Zstandard";
        (!readable).then_some((name.as_str(), rule))
    })
}

/// A decimal number without zeros after the point, and without a point that nothing follows.
fn without_fraction(number: &str) -> &str {
    if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    }
}

/// Days from 1970-01-01 as yyyy-mm-dd, by the rule of the Gregorian calendar counted from 1 March of
/// year 0 (400 years have 146,097 days).
fn date(days: i64) -> String {
    let days = days + 719_468;
    let (cycle, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (
        day - (153 * month + 2) / 5 + 1,
        if month < 10 { month + 3 } else { month - 9 },
    );
    let year = cycle * 400 + year + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A local time as its day, and the time of day if that is not midnight.
fn local_time(time: i64, units: i64) -> String {
    let seconds = time.div_euclid(units);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let day = date(days);
    if second == 0 {
        day
    } else {
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        format!("{day} {hour:02}:{minute:02}:{:02}", second % 60)
    }
}
