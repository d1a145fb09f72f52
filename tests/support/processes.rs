//! What a process costs, as the system counts it.

use std::fs;

/// What a process has cost so far, and what it holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// How often one of its threads waited for something and went on.
    pub(crate) waits: u64,
    /// For how many milliseconds it computed.
    pub(crate) computed: u64,
    /// How much memory it has, in kilobytes.
    pub(crate) resident: u64,
    /// How many files and sockets it has open.
    pub(crate) open: u64,
}

impl Cost {
    /// What a process that runs has cost so far.
    pub(crate) fn of(process: u32) -> Self {
        let folder = format!("/proc/{process}");
        let waits = fs::read_dir(format!("{folder}/task")).unwrap();
        let waits = waits.map(|task| {
            // A thread may be over by now.
            let status =
                fs::read_to_string(task.unwrap().path().join("status")).unwrap_or_default();
            field(&status, "voluntary_ctxt_switches:").unwrap_or_default()
        });
        let stat = fs::read_to_string(format!("{folder}/stat")).unwrap();
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        let hundredths = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        let status = fs::read_to_string(format!("{folder}/status")).unwrap();
        Self {
            waits: waits.sum(),
            computed: hundredths * 10,
            resident: field(&status, "VmRSS:").unwrap_or_default(),
            open: fs::read_dir(format!("{folder}/fd")).unwrap().count() as u64,
        }
    }
}

fn field(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse().ok()
}
