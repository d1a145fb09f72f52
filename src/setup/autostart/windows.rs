//! A task of the Windows task scheduler: its XML schema, version 1.2, in UTF-16 as the scheduler itself writes it. A file
//! alone starts nothing there: `schtasks` hands it over.

use std::path::Path;

use super::job::unfit;
use super::{Commands, Error, Job};

/// The task: at the login of one user, with no more rights than they have, on batteries too, and for as long as it likes.
pub(super) fn task(job: &Job) -> Result<String, Error> {
    for path in [&job.program, &job.top] {
        // It has no way to say that these are to be taken as they are.
        if path.contains('%') || path.contains("$(") {
            return Err(unfit(
                path,
                "the task scheduler reads `%` and `$(` as variables",
            ));
        }
    }
    Ok(format!(
        r#"<?xml version="1.0" encoding="UTF-16"?>
<!-- Made by `rhema crdt init`, written anew when it is stale, taken away by `rhema crdt uninit`. -->
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Keep the context files of {readable} in step with others</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
      <UserId>{account}</UserId>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>{account}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>7</Priority>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>255</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{program}</Command>
      <Arguments>{arguments}</Arguments>
    </Exec>
  </Actions>
</Task>
"#,
        readable = job.readable,
        account = in_xml(&job.account),
        program = in_xml(&job.program),
        arguments = in_xml(&format!("crdt -C {} -q watch", quoted(&job.top))),
    ))
}

pub(super) fn commands(job: &Job, file: &Path) -> Commands {
    let (name, file) = (&job.name, file.display());
    Commands {
        start: format!(
            "schtasks /Create /F /TN {name} /XML \"{file}\" && schtasks /Run /TN {name}"
        ),
        stop: format!("schtasks /End /TN {name} & schtasks /Delete /F /TN {name}"),
    }
}

/// A text as the content of an element.
pub(super) fn in_xml(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

/// An argument as programs on Windows take them apart: backslashes are themselves but before a quotation mark.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut backslashes = 0;
    for c in text.chars().chain(['"']) {
        if c == '"' {
            quoted.extend(std::iter::repeat_n('\\', backslashes));
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
        quoted.push(c);
    }
    quoted
}

/// A text in UTF-16, little end first, with the mark that says so.
pub(super) fn in_utf_16(text: &str) -> Vec<u8> {
    let units = std::iter::once(MARK).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

/// The text of what [`in_utf_16`] made; nothing for what it did not.
pub(super) fn from_utf_16(bytes: &[u8]) -> Option<String> {
    let units = bytes.as_chunks::<2>().0.iter();
    let mut units = units.map(|unit| u16::from_le_bytes(*unit));
    (units.next() == Some(MARK)).then(|| {
        let units: Vec<u16> = units.collect();
        String::from_utf16_lossy(&units)
    })
}

/// By which UTF-16 is known.
const MARK: u16 = 0xfeff;

#[cfg(test)]
mod tests {
    use super::super::job::example;
    use super::*;

    fn on_windows(top: &str) -> Job {
        Job {
            program: r"C:\Program Files\R & D\rhema.exe".to_owned(),
            top: top.to_owned(),
            ..example()
        }
    }

    #[test]
    fn a_task() {
        let text = task(&on_windows(r"C:\Users\Åsa <x>\so\")).unwrap();
        let xml = roxmltree::Document::parse(&text).unwrap();
        let told: Vec<(&str, &str)> = xml
            .descendants()
            .filter(|node| node.is_element() && node.first_element_child().is_none())
            .map(|node| (node.tag_name().name(), node.text().unwrap_or_default()))
            .collect();
        assert_eq!(
            told,
            [
                (
                    "Description",
                    "Keep the context files of it-s-100-HOME-so in step with others"
                ),
                ("Enabled", "true"),
                ("UserId", r"HARBOUR\ada"),
                ("UserId", r"HARBOUR\ada"),
                ("LogonType", "InteractiveToken"),
                ("RunLevel", "LeastPrivilege"),
                ("MultipleInstancesPolicy", "IgnoreNew"),
                ("DisallowStartIfOnBatteries", "false"),
                ("StopIfGoingOnBatteries", "false"),
                ("ExecutionTimeLimit", "PT0S"),
                ("Priority", "7"),
                ("Interval", "PT1M"),
                ("Count", "255"),
                ("Command", r"C:\Program Files\R & D\rhema.exe"),
                ("Arguments", r#"crdt -C "C:\Users\Åsa <x>\so\\" -q watch"#),
            ]
        );
        assert_eq!(
            from_utf_16(&in_utf_16(&text)).as_deref(),
            Some(text.as_str())
        );
        assert_eq!(in_utf_16("<Å")[..6], [0xff, 0xfe, b'<', 0, 0xc5, 0]);
        assert_eq!(from_utf_16(b"[Unit]"), None);
    }

    #[test]
    fn what_the_scheduler_would_read_as_a_variable_is_refused() {
        for top in [r"C:\%TEMP%", r"C:\$(Arg0)"] {
            let refused = task(&on_windows(top)).unwrap_err().to_string();
            assert!(refused.contains("as variables"), "{refused}");
        }
    }
}
