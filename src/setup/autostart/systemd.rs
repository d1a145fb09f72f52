//! A user unit of systemd: systemd.unit(5), systemd.service(5), systemd.syntax(7).

use super::job::unfit;
use super::{Commands, Error, Job};

/// The unit.
///
/// What it may do is narrowed only by what works without privileges and leaves git alone. Versions before 254 do not know the
/// growing pauses: they pass these two lines over, and give up after an hour's number of tries.
pub(super) fn unit(job: &Job) -> Result<String, Error> {
    let Job { name, readable, .. } = job;
    Ok(format!(
        "# Made by `rhema crdt init --auto-sync`, written anew when it is stale, taken away by `rhema crdt init --no-auto-sync`.
# What you want to be different goes into a file beside it: `systemctl --user edit {name}`.
[Unit]
Description=Keep the context files of {readable} in step with others
StartLimitIntervalSec=1h
StartLimitBurst=60

[Service]
Type=exec
ExecStart={program} crdt -C {top} watch
Restart=on-failure
RestartSec=10s
RestartSteps=6
RestartMaxDelaySec=5min
KillMode=mixed
TimeoutStopSec=10s
Nice=5
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
SystemCallArchitectures=native
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

[Install]
WantedBy=default.target
",
        program = program(&job.program)?,
        top = argument(&job.top),
    ))
}

pub(super) fn commands(job: &Job) -> Commands {
    let name = &job.name;
    Commands {
        start: format!("systemctl --user daemon-reload && systemctl --user start {name}"),
        stop: format!("systemctl --user stop {name}"),
    }
}

/// The program: systemd reads `%` in it, but no variables, and takes none with these characters.
fn program(path: &str) -> Result<String, Error> {
    if path.contains(['"', '\'', '\\']) {
        return Err(unfit(
            path,
            "systemd runs no program with a quotation mark or a backslash in its path: put it somewhere else",
        ));
    }
    Ok(format!("\"{}\"", path.replace('%', "%%")))
}

/// An argument: in it variables are read, too.
fn argument(text: &str) -> String {
    let text = text.replace('\\', r"\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace('%', "%%").replace('$', "$$"))
}

#[cfg(test)]
mod tests {
    use super::super::job::example;
    use super::*;

    #[test]
    fn a_unit() {
        let unit = unit(&example()).unwrap();
        assert_eq!(
            unit,
            r#"# Made by `rhema crdt init --auto-sync`, written anew when it is stale, taken away by `rhema crdt init --no-auto-sync`.
# What you want to be different goes into a file beside it: `systemctl --user edit NAME`.
[Unit]
Description=Keep the context files of it-s-100-HOME-so in step with others
StartLimitIntervalSec=1h
StartLimitBurst=60

[Service]
Type=exec
ExecStart="/opt/100%% $HOME/rhema" crdt -C "/home/ada/it's \"100%%\" <$$HOME> & \\ so" watch
Restart=on-failure
RestartSec=10s
RestartSteps=6
RestartMaxDelaySec=5min
KillMode=mixed
TimeoutStopSec=10s
Nice=5
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
SystemCallArchitectures=native
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

[Install]
WantedBy=default.target
"#
            .replace("NAME", &example().name)
        );
    }

    #[test]
    fn a_program_that_systemd_would_not_run_is_refused() {
        for path in ["/it's/rhema", "/\"/rhema", "/a\\b/rhema"] {
            let refused = program(path).unwrap_err().to_string();
            assert!(refused.contains("systemd runs no program"), "{refused}");
        }
    }
}
