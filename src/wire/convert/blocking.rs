//! What blocking says in a run's report.

use super::run::RunError;
use crate::terms::methods::Interval;
use crate::terms::{AuditScan, BlockingAudit, BlockingReport, PassReason, PassReport};
use crate::wire::pb;

impl From<&BlockingReport> for pb::BlockingReport {
    fn from(report: &BlockingReport) -> Self {
        let passes = report.passes.iter().map(|pass| pb::BlockingPass {
            tag: pass.tag.clone(),
            reason: pass.reason.code().to_owned(),
            record_count: pass.rows,
            estimated_pair_count: pass.estimated_pairs,
            pair_count: pass.pairs,
            new_pair_count: pass.new_pairs,
            capped_block_count: pass.capped_blocks,
            capped_record_count: pass.capped_rows,
        });
        Self {
            block_record_max: report.block_rows_max,
            pair_max: report.pairs_max,
            passes: passes.collect(),
            new_record_count: report.new_rows,
            audit: report.audit.as_ref().map(|audit| pb::BlockingAudit {
                scan: audit.scan.code().to_owned(),
                record_count: audit.rows,
                pair_count: audit.pairs,
                proposed_pair_count: audit.proposed,
                pair_completeness: audit.pair_completeness,
                pair_completeness_interval: Some(audit.interval.into()),
            }),
        }
    }
}

impl TryFrom<pb::BlockingReport> for BlockingReport {
    type Error = RunError;

    fn try_from(report: pb::BlockingReport) -> Result<Self, RunError> {
        let passes = report.passes.into_iter().map(|pass| {
            Ok(PassReport {
                reason: PassReason::from_code(&pass.reason).ok_or(RunError::Blocking)?,
                tag: pass.tag,
                rows: pass.record_count,
                estimated_pairs: pass.estimated_pair_count,
                pairs: pass.pair_count,
                new_pairs: pass.new_pair_count,
                capped_blocks: pass.capped_block_count,
                capped_rows: pass.capped_record_count,
            })
        });
        Ok(Self {
            block_rows_max: report.block_record_max,
            pairs_max: report.pair_max,
            passes: passes.collect::<Result<_, RunError>>()?,
            new_rows: report.new_record_count,
            audit: report.audit.map(audit).transpose()?,
        })
    }
}

fn audit(audit: pb::BlockingAudit) -> Result<BlockingAudit, RunError> {
    let interval = audit.pair_completeness_interval;
    let interval: Interval = interval.map(Into::into).ok_or(RunError::Missing {
        field: "pair_completeness_interval",
    })?;
    Ok(BlockingAudit {
        scan: AuditScan::from_code(&audit.scan).ok_or(RunError::Blocking)?,
        rows: audit.record_count,
        pairs: audit.pair_count,
        proposed: audit.proposed_pair_count,
        pair_completeness: audit.pair_completeness,
        interval,
    })
}
