//! Backfills: who wants which months read again and why, and how far it has come. Every event is a row; the state is what they add up to.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::ledger::sheet::{Kind, Sheet};
use crate::store::Root;

const BACKFILL: Sheet = Sheet {
    name: "backfill",
    title: "补数登记（每个事件一行）",
    columns: &[
        ("backfill_id", Kind::Text, "补数编号"),
        ("event", Kind::Text, "事件（opened 登记，running 开始某月，done 某月完成，failed 某月失败，cancelled 取消）"),
        ("event_time", Kind::Text, "时间"),
        ("by_whom", Kind::Text, "操作人（登记、取消时）"),
        ("why", Kind::Text, "原因（登记、失败时）"),
        ("from_month", Kind::Text, "起始月份"),
        ("to_month", Kind::Text, "截止月份"),
        ("datasets", Kind::Text, "数据集，逗号分隔，空串为全部"),
        ("newest_first", Kind::Int, "1为由近及远，0为由远及近"),
        ("month", Kind::Text, "月份（各月事件）"),
        ("run_id", Kind::Text, "运行编号（各月事件）"),
    ],
};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackfillEvent<'a> {
    /// It was asked for.
    Opened,
    /// A month begins, in this run.
    Running(&'a str, &'a str),
    /// A month is done, by this run.
    Done(&'a str, &'a str),
    /// A month failed in this run, for this reason.
    Failed(&'a str, &'a str, &'a str),
    /// It was given up, by whom.
    Cancelled(&'a str),
}

/// How far a month has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// Begun and not ended: it runs now, or was killed.
    Running,
    /// Done.
    Done,
    /// Ended with an error.
    Failed,
}

impl StepState {
    /// Its word.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// How far a backfill has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackfillState {
    /// Months are left; none has begun, or the last one that had is done.
    Open,
    /// A month has begun and not ended.
    Running,
    /// The last month that was tried failed.
    Failed,
    /// All months are done.
    Done,
    /// Given up.
    Cancelled,
}

impl BackfillState {
    /// Its word.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether months are left to do.
    #[must_use]
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Done | Self::Cancelled)
    }
}

/// A month of a backfill that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How far it has come.
    pub state: StepState,
    /// The runs that worked at it, in order.
    pub runs: Vec<String>,
    /// Why it failed.
    pub why: String,
}

/// One backfill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backfill {
    /// `b0001`.
    pub id: String,
    /// When it was asked for.
    pub time: String,
    /// Who asked.
    pub by: String,
    /// Why.
    pub why: String,
    /// First month, `yyyy-MM`.
    pub from: String,
    /// Last month.
    pub to: String,
    /// Datasets; empty: all.
    pub datasets: Vec<String>,
    /// Whether the newest month comes first.
    pub newest_first: bool,
    /// Months that have begun.
    pub steps: BTreeMap<String, Step>,
    /// Who gave it up; empty where nobody did.
    pub cancelled_by: String,
    /// How far it has come.
    pub state: BackfillState,
}

/// All backfills, oldest first; `months` tells the months of a range, in order.
///
/// # Errors
/// As the storage says.
pub async fn backfills(root: &Root, months: impl Fn(&str, &str) -> Vec<String>) -> Result<Vec<Backfill>> {
    let mut all: BTreeMap<String, Backfill> = BTreeMap::new();
    for row in BACKFILL.read(root).await? {
        let text = |at: usize| row[at].text().to_string();
        let id = text(0);
        let one = all.entry(id.clone()).or_insert_with(|| Backfill {
            id,
            time: text(2),
            by: text(3),
            why: text(4),
            from: text(5),
            to: text(6),
            datasets: row[7].text().split(',').filter(|name| !name.is_empty()).map(str::to_string).collect(),
            newest_first: row[8].int() == 1,
            steps: BTreeMap::new(),
            cancelled_by: String::new(),
            state: BackfillState::Open,
        });
        let state = match row[1].text() {
            "running" => StepState::Running,
            "done" => StepState::Done,
            "failed" => StepState::Failed,
            "cancelled" => {
                one.cancelled_by = text(3);
                one.state = BackfillState::Cancelled;
                continue;
            }
            _ => continue,
        };
        let step = one.steps.entry(text(9)).or_insert_with(|| Step { state, runs: Vec::new(), why: String::new() });
        step.state = state;
        step.why = if state == StepState::Failed { text(4) } else { String::new() };
        if !step.runs.contains(&text(10)) {
            step.runs.push(text(10));
        }
        if one.state == BackfillState::Cancelled {
            continue;
        }
        one.state = match state {
            StepState::Running => BackfillState::Running,
            StepState::Failed => BackfillState::Failed,
            StepState::Done => BackfillState::Open,
        };
    }
    let mut all: Vec<Backfill> = all.into_values().collect();
    for one in &mut all {
        let is_done = |month: &String| one.steps.get(month).is_some_and(|step| step.state == StepState::Done);
        if one.state == BackfillState::Open && months(&one.from, &one.to).iter().all(is_done) {
            one.state = BackfillState::Done;
        }
    }
    Ok(all)
}

/// Writes an event down; `run_seq` is the run's, or the newest there is.
///
/// # Errors
/// As the storage says.
pub async fn record_backfill(root: &Root, run_seq: i64, time: &str, of: &Backfill, event: BackfillEvent<'_>) -> Result<()> {
    let (word, by, why, month, run) = match event {
        BackfillEvent::Opened => ("opened", of.by.as_str(), of.why.as_str(), "", ""),
        BackfillEvent::Running(month, run) => ("running", "", "", month, run),
        BackfillEvent::Done(month, run) => ("done", "", "", month, run),
        BackfillEvent::Failed(month, run, why) => ("failed", "", why, month, run),
        BackfillEvent::Cancelled(by) => ("cancelled", by, "", "", ""),
    };
    let mut row = vec![of.id.as_str().into()];
    row.extend([word, time, by, why, of.from.as_str(), of.to.as_str(), &of.datasets.join(",")].map(crate::ledger::Value::from));
    row.extend([i64::from(of.newest_first).into(), month.into(), run.into()]);
    BACKFILL.append(root, run_seq, &[row]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn months(from: &str, to: &str) -> Vec<String> {
        ["2024-01", "2024-02", "2024-03"].into_iter().filter(|m| *m >= from && *m <= to).map(str::to_string).collect()
    }

    #[tokio::test]
    async fn the_state_is_what_the_events_add_up_to() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path().to_str().unwrap(), std::collections::HashMap::new()).unwrap();
        let of = Backfill {
            id: "b0001".into(),
            time: "2024-07-01T02:00:00".into(),
            by: "张三".into(),
            why: "平台补数".into(),
            from: "2024-01".into(),
            to: "2024-02".into(),
            datasets: vec!["shp".into(), "retn".into()],
            newest_first: true,
            steps: BTreeMap::new(),
            cancelled_by: String::new(),
            state: BackfillState::Open,
        };
        let time = of.time.clone();
        let state = async |event: BackfillEvent<'_>| {
            record_backfill(&root, 1, &time, &of, event).await.unwrap();
            backfills(&root, months).await.unwrap().pop().unwrap()
        };
        assert_eq!(state(BackfillEvent::Opened).await, of);
        assert_eq!(state(BackfillEvent::Running("2024-02", "r1")).await.state, BackfillState::Running);
        assert_eq!(state(BackfillEvent::Done("2024-02", "r1")).await.state, BackfillState::Open);
        assert_eq!(state(BackfillEvent::Running("2024-01", "r2")).await.state, BackfillState::Running);
        let failed = state(BackfillEvent::Failed("2024-01", "r2", "away")).await;
        assert_eq!((failed.state, failed.steps["2024-01"].why.as_str()), (BackfillState::Failed, "away"));
        state(BackfillEvent::Running("2024-01", "r3")).await;
        let done = state(BackfillEvent::Done("2024-01", "r3")).await;
        assert_eq!(
            (done.state, done.steps["2024-01"].runs.as_slice()),
            (BackfillState::Done, ["r2".to_string(), "r3".to_string()].as_slice())
        );
        let cancelled = state(BackfillEvent::Cancelled("李四")).await;
        assert_eq!((cancelled.state, cancelled.cancelled_by.as_str(), cancelled.by.as_str()), (BackfillState::Cancelled, "李四", "张三"));
    }
}
