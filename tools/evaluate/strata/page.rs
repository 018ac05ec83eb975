//! Strata as a table of text.

use std::fmt::{self, Display, Formatter};

use super::{Strata, StratumQuality};

impl Display for Strata {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        head(f, "stratum")?;
        self.strata.iter().try_for_each(|row| line(f, row))?;
        writeln!(f)?;
        head(f, "pair of sources")?;
        self.source_pairs.iter().try_for_each(|row| line(f, row))?;
        if self.entities_left_out > 0 {
            writeln!(
                f,
                "\n  {} entities are too large for precision by stratum",
                self.entities_left_out
            )?;
        }
        Ok(())
    }
}

fn head(f: &mut Formatter<'_>, name: &str) -> fmt::Result {
    let [pairs, precision, recall] = ["true pairs", "precision", "recall"];
    writeln!(f, "  {name:<36} {pairs:>11} {precision:>10} {recall:>10}")
}

fn line(f: &mut Formatter<'_>, row: &StratumQuality) -> fmt::Result {
    let figure = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.4}"));
    let (precision, recall) = (figure(row.precision), figure(row.recall));
    writeln!(
        f,
        "  {:<36} {:>11} {precision:>10} {recall:>10}",
        row.stratum, row.true_pairs
    )
}
