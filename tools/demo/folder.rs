//! Before the first record: the folder, the people, the keys, the certificates.

use std::path::{Path, PathBuf};

use super::{DemoArgs, DemoError, During, Progress, timed};
use crate::encode::key::{LinkageSecret, SourceSecret};
use crate::encode::sources::SourceList;
use crate::terms::SourceId;
use crate::terms::profile::LinkageProfile;
use crate::terms::run::StepReport;
use crate::tools::operator::init;
use crate::tools::source::profile::load_profile;
use crate::tools::synth::{self, SynthOptions};

/// A file that says: this folder was made by the demo, the demo may empty it.
const MARK: &str = ".made-by-musubi-demo";

/// What the demo made in its folder; nothing else is ever removed.
const MADE: &[&str] = &[
    "people",
    "keys",
    "certs",
    "encodings",
    "store",
    "musubi.toml",
    "entities.csv",
    "report.json",
];

/// One source, ready to be encoded.
pub(super) struct StagedSource {
    pub(super) name: SourceId,
    pub(super) csv: PathBuf,
    pub(super) map: PathBuf,
    pub(super) secret: PathBuf,
    pub(super) encodings: PathBuf,
}

/// Everything the line needs.
pub(super) struct Stage {
    pub(super) dir: PathBuf,
    pub(super) profile: LinkageProfile,
    pub(super) sources: Vec<StagedSource>,
    pub(super) linkage_secret: PathBuf,
    pub(super) truth: Option<PathBuf>,
}

/// Makes the folder ready: people (or the given files), keys, certificates, configuration.
pub(super) fn prepare(
    args: &DemoArgs,
    progress: &Progress,
    steps: &mut Vec<StepReport>,
) -> Result<Stage, DemoError> {
    let dir = &args.dir;
    clear(dir)?;
    let (data, maps, truth) = match &args.data {
        Some(data) => {
            let maps = args.maps.clone().unwrap_or_else(|| data.clone());
            let beside = data.join("truth.csv");
            let truth = args
                .truth
                .clone()
                .or_else(|| beside.is_file().then_some(beside));
            (data.clone(), maps, truth)
        }
        None => {
            let people = dir.join("people");
            make_people(args, &people, progress, steps)?;
            let truth = people.join("truth.csv");
            (people.clone(), people, Some(truth))
        }
    };
    let listed = SourceList::read(&maps.join("sources.toml")).during("reading sources.toml")?;
    let profile_name = args.profile.clone().or_else(|| listed.profile.clone());
    let profile_name = profile_name.as_deref().unwrap_or("jp-standard");
    let profile = load_profile(profile_name).during("reading the linkage profile")?;

    let keys = dir.join("keys");
    std::fs::create_dir_all(&keys).during("making the folder for keys")?;
    std::fs::create_dir_all(dir.join("encodings")).during("making the folder for encodings")?;
    let linkage_secret = keys.join("linkage.key");
    let secret = LinkageSecret::generate().during("making the linkage secret")?;
    secret
        .write_new(&linkage_secret)
        .during("writing the linkage secret")?;

    let mut sources = Vec::new();
    for source in &listed.sources {
        let secret = keys.join(format!("source-{}.key", source.name));
        let made = SourceSecret::generate().during("making a source's secret")?;
        made.write_new(&secret)
            .during("writing a source's secret")?;
        sources.push(StagedSource {
            csv: data.join(&source.file),
            map: maps.join(&source.map),
            encodings: dir.join("encodings").join(format!("{}.mse", source.name)),
            name: source.name.clone(),
            secret,
        });
    }
    let names: Vec<SourceId> = sources.iter().map(|source| source.name.clone()).collect();
    init::set_up(dir, &profile, &names).during("making certificates and configuration")?;
    Ok(Stage {
        dir: dir.clone(),
        profile,
        sources,
        linkage_secret,
        truth,
    })
}

/// Makes the folder, or empties it if an earlier demo made it.
fn clear(dir: &Path) -> Result<(), DemoError> {
    let mark = dir.join(MARK);
    let used = dir.is_dir()
        && std::fs::read_dir(dir)
            .during("reading the folder")?
            .next()
            .is_some();
    if used && !mark.is_file() {
        return Err(DemoError(format!(
            "{} holds files that the demo did not make; give another folder with --dir",
            dir.display()
        )));
    }
    for name in MADE {
        let path = dir.join(name);
        let removed = if path.is_dir() {
            std::fs::remove_dir_all(&path)
        } else if path.exists() {
            std::fs::remove_file(&path)
        } else {
            Ok(())
        };
        removed.during("removing what an earlier demo made")?;
    }
    std::fs::create_dir_all(dir).during("making the folder")?;
    std::fs::write(&mark, "").during("marking the folder")
}

fn make_people(
    args: &DemoArgs,
    people: &Path,
    progress: &Progress,
    steps: &mut Vec<StepReport>,
) -> Result<(), DemoError> {
    let options = SynthOptions {
        persons: args.persons,
        seed: args.seed,
        ..SynthOptions::default()
    };
    let bar = progress.bar("people", u64::from(args.persons));
    timed(steps, "people", || {
        let tell = |done: u64, total: u64| {
            bar.set_length(total);
            bar.set_position(done);
        };
        let made = synth::generate(&options, people, &tell).during("making people")?;
        Ok(((), made.records))
    })?;
    bar.finish_and_clear();
    Ok(())
}
