//! What `score` prints.

use serde_json::json;

use crate::Result;
use crate::case::{Bucket, Report, Verdict};
use crate::check::Kind;
use crate::score::Show;

/// The name under which the committed merges stand beside the tools.
pub(crate) const COMMITTED: &str = "committed";

/// A line of the table: how many of how many.
struct Row<'a> {
    label: &'static str,
    of: &'a dyn Fn(&Report, &Verdict) -> bool,
    is: &'a dyn Fn(&Report, &Verdict) -> bool,
}

/// Counts and shares, a column for each tool.
pub(crate) fn table(reports: &[Report], names: &[&str]) {
    let count = |bucket| reports.iter().filter(|r| r.bucket == bucket).count();
    println!(
        "{} cases: nothing contested {}, only softly {}, contested {}, to be merged as text {}\n",
        reports.len(),
        count(Bucket::Free),
        count(Bucket::Soft),
        count(Bucket::Hard),
        count(Bucket::Text)
    );

    let free = |r: &Report, _: &Verdict| r.bucket == Bucket::Free;
    let soft = |r: &Report, _: &Verdict| r.bucket == Bucket::Soft;
    let hard = |r: &Report, _: &Verdict| r.bucket == Bucket::Hard;
    let as_text = |r: &Report, _: &Verdict| r.bucket == Bucket::Text;
    let any = |_: &Report, _: &Verdict| true;
    let clean = |_: &Report, v: &Verdict| v.clean;
    let right = |_: &Report, v: &Verdict| v.right;
    let modelled_clean = |r: &Report, v: &Verdict| r.bucket != Bucket::Text && v.ever_clean;
    let free_right = |r: &Report, v: &Verdict| r.bucket == Bucket::Free && v.right;
    let flawless = |_: &Report, v: &Verdict| v.right && v.findings.is_empty();
    let as_committed = |_: &Report, v: &Verdict| v.as_committed;
    let has = |kind: Kind| move |_: &Report, v: &Verdict| v.has(kind);
    let [lost, resurrected, duplicate, wrong, misordered, unparsable] = [
        Kind::Lost,
        Kind::Resurrected,
        Kind::Duplicate,
        Kind::Wrong,
        Kind::Misordered,
        Kind::Unparsable,
    ]
    .map(has);
    let [
        comment,
        doubled,
        needless,
        swallowed,
        asymmetric,
        failed,
        timeout,
        text,
    ] = [
        Kind::Comment,
        Kind::DoubledComment,
        Kind::Needless,
        Kind::Swallowed,
        Kind::Asymmetric,
        Kind::Failed,
        Kind::Timeout,
        Kind::TextDiffers,
    ]
    .map(has);

    let rows = [
        Row {
            label: "NOTHING CONTESTED: clean and right",
            of: &free,
            is: &right,
        },
        Row {
            label: "  … and comments kept, symmetric",
            of: &free,
            is: &flawless,
        },
        Row {
            label: "  needless conflict",
            of: &free,
            is: &needless,
        },
        Row {
            label: "  right equals what was committed",
            of: &free_right,
            is: &as_committed,
        },
        Row {
            label: "softly contested: clean and right",
            of: &soft,
            is: &right,
        },
        Row {
            label: "contested: swallowed",
            of: &hard,
            is: &swallowed,
        },
        Row {
            label: "ALL MODELLED CLEAN MERGES: lost an edit",
            of: &modelled_clean,
            is: &lost,
        },
        Row {
            label: "  resurrected",
            of: &modelled_clean,
            is: &resurrected,
        },
        Row {
            label: "  duplicate",
            of: &modelled_clean,
            is: &duplicate,
        },
        Row {
            label: "  wrong data",
            of: &modelled_clean,
            is: &wrong,
        },
        Row {
            label: "  misordered",
            of: &modelled_clean,
            is: &misordered,
        },
        Row {
            label: "  unparsable",
            of: &modelled_clean,
            is: &unparsable,
        },
        Row {
            label: "  lost comment",
            of: &modelled_clean,
            is: &comment,
        },
        Row {
            label: "  doubled comment",
            of: &modelled_clean,
            is: &doubled,
        },
        Row {
            label: "ALL CASES: clean",
            of: &any,
            is: &clean,
        },
        Row {
            label: "  asymmetric",
            of: &any,
            is: &asymmetric,
        },
        Row {
            label: "  failed",
            of: &any,
            is: &failed,
        },
        Row {
            label: "  timeout",
            of: &any,
            is: &timeout,
        },
        Row {
            label: "AS TEXT: differs from git",
            of: &as_text,
            is: &text,
        },
    ];
    print!("{:42}", "");
    for name in names {
        print!("{name:>22}");
    }
    println!();
    for row in rows {
        print!("{:42}", row.label);
        for at in 0..names.len() {
            let judged = reports
                .iter()
                .filter_map(|r| Some((r, r.verdicts.get(at)?)));
            let of: Vec<_> = judged.filter(|(r, v)| (row.of)(r, v)).collect();
            let is = of.iter().filter(|(r, v)| (row.is)(r, v)).count();
            let share = 100.0 * is as f64 / of.len().max(1) as f64;
            print!("{:>22}", format!("{is}/{} {share:5.1} %", of.len()));
        }
        println!();
    }
    print!("{:42}", "median time, slowest");
    for at in 0..names.len() {
        let mut times: Vec<f64> = reports
            .iter()
            .filter_map(|r| Some(r.verdicts.get(at)?.milliseconds))
            .collect();
        times.sort_by(f64::total_cmp);
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        print!(
            "{:>22}",
            format!(
                "{median:.1} ms, {:.0} ms",
                times.last().copied().unwrap_or_default()
            )
        );
    }
    println!();
}

/// The first cases of a kind, with the reasons.
pub(crate) fn show(reports: &[Report], names: &[&str], show: &Show) {
    for (at, name) in names.iter().enumerate() {
        if show.tool.as_ref().is_some_and(|tool| tool != name)
            || (show.tool.is_none() && *name == COMMITTED)
        {
            continue;
        }
        let concerned = |r: &&Report| r.verdicts.get(at).is_some_and(|v| v.has(show.kind));
        for report in reports.iter().filter(concerned).take(show.count) {
            println!(
                "{name} {} ({:?}): {}",
                show.kind.name(),
                report.bucket,
                report.folder.display()
            );
            let findings = report.verdicts[at]
                .findings
                .iter()
                .filter(|f| f.kind == show.kind);
            for finding in findings.take(3) {
                println!("    {}", finding.reason);
            }
            for why in report.why.iter().take(2) {
                println!("    contested: {why}");
            }
        }
        println!();
    }
}

/// Everything, for other programs.
pub(crate) fn json(reports: &[Report], names: &[&str]) -> Result<String> {
    let cases: Vec<_> = reports
        .iter()
        .map(|report| {
            let tools: serde_json::Map<String, serde_json::Value> = names
                .iter()
                .zip(&report.verdicts)
                .map(|(name, verdict)| {
                    let findings: Vec<_> = verdict
                        .findings
                        .iter()
                        .map(|finding| json!({"kind": finding.kind.name(), "reason": finding.reason}))
                        .collect();
                    let verdict = json!({
                        "clean": verdict.clean,
                        "ever_clean": verdict.ever_clean,
                        "right": verdict.right,
                        "as_committed": verdict.as_committed,
                        "milliseconds": verdict.milliseconds,
                        "findings": findings,
                    });
                    ((*name).to_owned(), verdict)
                })
                .collect();
            json!({
                "folder": report.folder.display().to_string(),
                "bucket": format!("{:?}", report.bucket).to_lowercase(),
                "why": report.why,
                "tools": tools,
            })
        })
        .collect();
    Ok(serde_json::to_string_pretty(&cases)?)
}
