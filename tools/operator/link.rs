//! `musubi link`: starts a linkage run and follows it.

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::client::OperatorClient;
use super::connect::ConnectArguments;
use super::{Outcome, show};
use crate::terms::Thresholds;
use crate::terms::run::{Run, RunState, ThresholdPolicy};

/// Arguments of `link`.
#[derive(Debug, Args)]
pub struct LinkArguments {
    /// Follow the run to its end, with a progress bar on standard error
    #[arg(long)]
    watch: bool,
    /// Link from this match weight up, instead of the threshold that the server chooses
    #[arg(
        long,
        value_name = "BITS",
        requires = "lower",
        allow_negative_numbers = true
    )]
    upper: Option<f64>,
    /// Leave pairs from this match weight up to a person
    #[arg(
        long,
        value_name = "BITS",
        requires = "upper",
        allow_negative_numbers = true
    )]
    lower: Option<f64>,
    /// Choose the threshold so that at most so many false links are expected for 1,000 people
    #[arg(long, value_name = "N", conflicts_with = "upper", value_parser = target, allow_negative_numbers = true)]
    target_false_links_per_1000: Option<f64>,
    /// Keep the model and the thresholds of the last run, so that IDs change by new records alone
    #[arg(long, conflicts_with_all = ["upper", "target_false_links_per_1000"])]
    as_before: bool,
    #[command(flatten)]
    connect: ConnectArguments,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A number of false links for 1,000 people that may be asked for.
fn target(text: &str) -> Result<f64, String> {
    let target = text.parse().unwrap_or(f64::NAN);
    match ThresholdPolicy::FalseLinksPer1000(target).is_valid() {
        true => Ok(target),
        false => Err(format!(
            "a number above 0, at most {}",
            ThresholdPolicy::FALSE_LINKS_MAX
        )),
    }
}

/// Starts a run, or joins the one under way.
///
/// # Errors
/// If the server refuses, or the run fails while it is watched.
pub async fn run(arguments: &LinkArguments) -> Outcome {
    let policy = match (arguments.upper, arguments.lower) {
        (Some(upper_bits), Some(lower_bits)) => ThresholdPolicy::Given(Thresholds {
            upper_bits,
            lower_bits,
        }),
        _ if arguments.as_before => ThresholdPolicy::AsBefore,
        _ => match arguments.target_false_links_per_1000 {
            Some(target) => ThresholdPolicy::FalseLinksPer1000(target),
            None => ThresholdPolicy::Precision,
        },
    };
    let mut client = OperatorClient::connect(&arguments.connect.connection()).await?;
    let mut run = client.start_run(policy).await?;
    if arguments.watch {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{prefix:8} {bar:40} {human_pos}/{human_len}")?;
        bar.set_style(style);
        let mut draw = |now: &Run| {
            if let Some(progress) = &now.progress {
                bar.set_prefix(progress.step.clone());
                bar.set_length(progress.planned);
                bar.set_position(progress.done);
            }
        };
        let watched = client.watch_run(run.id, &mut draw).await;
        bar.finish_and_clear();
        run = watched?;
    }
    if run.state == RunState::Failed {
        let failure = run.failure.unwrap_or_else(|| "no reason was given".into());
        return Err(format!("the run failed: {failure}").into());
    }
    show::run(&run, arguments.json)
}
