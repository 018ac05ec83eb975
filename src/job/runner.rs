//! The life of a run: queued → running → succeeded or failed. One run at a time, on its own
//! thread, apart from the threads that answer requests.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use super::linked::Linked;
use super::pipeline::Pipeline;
use super::scoring;
use crate::store::{PutRunError, Store};
use crate::terms::RunId;
use crate::terms::run::{Progress, Run, RunState, StepReport, ThresholdPolicy};

/// Why a run could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartRunError {
    /// The cuts do not make sense.
    #[error("the lower threshold must not be above the upper one, and both must be numbers")]
    Thresholds,
    /// The target makes no sense.
    #[error("the target of false links per 1,000 people must be above 0 and at most 1,000")]
    Target,
    /// There is no run whose model and cuts could be kept.
    #[error(
        "no run has succeeded under this linkage profile whose model and cuts could be kept; start one \
         that chooses them"
    )]
    NothingBefore,
    /// The profile proposes no pairs.
    #[error(
        "the linkage profile has no tag with `block = true`: its encodings are kept, but nothing \
         proposes pairs to compare, so they cannot be linked"
    )]
    NoBlocking,
    /// The run could not be written to the store.
    #[error("the run could not be written to the store")]
    Store(#[from] PutRunError),
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers for the run's ID")]
    Random,
    /// The operating system starts no thread.
    #[error("the operating system starts no thread for the run")]
    Thread(#[source] std::io::Error),
}

/// Starts runs and knows how they stand. Cheap to clone.
#[derive(Clone)]
pub struct JobRunner {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    /// The run under way, if any.
    active: Mutex<Option<RunId>>,
    /// What the last run found out, for the next to go on from.
    kept: Mutex<Option<Linked>>,
    keeps_rows: AtomicBool,
    /// Newest state of the run under way, and of the last one when it has ended.
    newest: watch::Sender<Option<Run>>,
}

impl JobRunner {
    /// Takes over the runs of a store. A run that was under way when the server stopped is marked
    /// as failed: nothing of it was published.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn new(store: Store) -> Result<Self, PutRunError> {
        for mut run in store.runs() {
            if matches!(run.state, RunState::Queued | RunState::Running) {
                run.state = RunState::Failed;
                run.progress = None;
                run.failure = Some("the server stopped during this run; start it again".into());
                store.put_run(&run)?;
            }
        }
        let newest = watch::Sender::new(store.runs().into_iter().next());
        Ok(Self {
            inner: Arc::new(Inner {
                store,
                active: Mutex::new(None),
                kept: Mutex::new(None),
                keeps_rows: AtomicBool::new(true),
                newest,
            }),
        })
    }

    /// Whether records and links of a run stay in memory when it has ended: some 550 bytes a record
    /// with `jp-standard`. The next run then looks at new records only. They stay if nothing is said.
    #[must_use]
    pub fn keep_rows(self, keep: bool) -> Self {
        self.inner.keeps_rows.store(keep, Ordering::Relaxed);
        self
    }

    /// Starts a run over all live records. If one is under way, that one is returned.
    ///
    /// # Errors
    /// [`StartRunError`]
    pub fn start(&self, policy: impl Into<ThresholdPolicy>) -> Result<RunId, StartRunError> {
        let policy = policy.into();
        if !policy.is_valid() {
            return Err(match policy {
                ThresholdPolicy::FalseLinksPer1000(_) => StartRunError::Target,
                _ => StartRunError::Thresholds,
            });
        }
        if let Some((profile, _)) = self.inner.store.profile() {
            if !profile.can_block() {
                return Err(StartRunError::NoBlocking);
            }
            if policy == ThresholdPolicy::AsBefore
                && scoring::as_before(&self.inner.store, &profile).is_none()
            {
                return Err(StartRunError::NothingBefore);
            }
        }
        let mut active = self
            .inner
            .active
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = *active {
            return Ok(id);
        }
        let mut bits = [0; 16];
        getrandom::fill(&mut bits).map_err(|_| StartRunError::Random)?;
        let id = RunId::from_u128(u128::from_le_bytes(bits));
        let created_unix_s = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let run = Run {
            id,
            state: RunState::Queued,
            created_unix_s,
            steps: Vec::new(),
            progress: None,
            failure: None,
            report: None,
        };
        self.inner.store.put_run(&run)?;
        self.inner.newest.send_replace(Some(run.clone()));
        let inner = Arc::clone(&self.inner);
        std::thread::Builder::new()
            .name("musubi-run".into())
            .spawn(move || inner.carry_out(run, policy))
            .map_err(StartRunError::Thread)?;
        *active = Some(id);
        Ok(id)
    }

    /// A run as it stands.
    #[must_use]
    pub fn run(&self, id: RunId) -> Option<Run> {
        let newest = self.inner.newest.borrow().clone();
        newest
            .filter(|run| run.id == id)
            .or_else(|| self.inner.store.run(id))
    }

    /// All runs, newest first.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        let mut runs = self.inner.store.runs();
        if let Some(newest) = self.inner.newest.borrow().clone() {
            runs.iter_mut()
                .filter(|run| run.id == newest.id)
                .for_each(|run| *run = newest.clone());
        }
        runs
    }

    /// Follows the run under way: each change of its state, and its end.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Option<Run>> {
        self.inner.newest.subscribe()
    }
}

impl Inner {
    fn carry_out(&self, mut run: Run, policy: ThresholdPolicy) {
        run.state = RunState::Running;
        let running = run.clone();
        let tell = |steps: &[StepReport], progress: Option<Progress>| {
            let mut now = running.clone();
            now.steps = steps.to_vec();
            now.progress = progress;
            self.newest.send_replace(Some(now));
        };
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let kept = self
                .kept
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            Pipeline::new(&self.store, &tell).run(run.id, policy, kept)
        }));
        match outcome {
            Ok(Ok(done)) => {
                run.state = RunState::Succeeded;
                run.steps = done.steps;
                run.report = Some(done.report);
                if self.keeps_rows.load(Ordering::Relaxed) {
                    *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(done.linked);
                }
            }
            Ok(Err(error)) => {
                run.state = RunState::Failed;
                run.failure = Some(describe(&error));
            }
            Err(_) => {
                run.state = RunState::Failed;
                run.failure = Some("a defect in musubi ended the run; see the server's log".into());
            }
        }
        if let Err(error) = self.store.put_run(&run) {
            run.state = RunState::Failed;
            run.report = None;
            run.failure = Some(describe(&error));
        }
        *self.active.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.newest.send_replace(Some(run));
    }
}

/// An error with its causes, in one line.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
