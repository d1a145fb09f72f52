//! An agent of launchd: launchd.plist(5). It keeps no output, so warnings go into a file of the work tree's state.

use std::path::Path;

use super::windows::in_xml;
use super::{Commands, Job};

/// The agent. launchd waits longer by itself when it fails again and again, but never less than ten seconds.
pub(super) fn agent(job: &Job) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Made by `rhema crdt init`, written anew when it is stale, taken away by `rhema crdt uninit`. -->
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>{name}</string>
	<key>ProgramArguments</key>
	<array>
		<string>{program}</string>
		<string>crdt</string>
		<string>-C</string>
		<string>{top}</string>
		<string>-q</string>
		<string>watch</string>
	</array>
	<key>RunAtLoad</key>
	<true/>
	<key>KeepAlive</key>
	<dict>
		<key>SuccessfulExit</key>
		<false/>
	</dict>
	<key>ThrottleInterval</key>
	<integer>10</integer>
	<key>ExitTimeOut</key>
	<integer>10</integer>
	<key>Nice</key>
	<integer>5</integer>
	<key>StandardErrorPath</key>
	<string>{log}</string>
</dict>
</plist>
"#,
        name = job.name,
        program = in_xml(&job.program),
        top = in_xml(&job.top),
        log = in_xml(&job.log),
    )
}

pub(super) fn commands(job: &Job, file: &Path) -> Commands {
    let file = file.display().to_string().replace('\'', r"'\''");
    Commands {
        start: format!("launchctl bootstrap gui/$(id -u) '{file}'"),
        stop: format!("launchctl bootout gui/$(id -u)/{}", job.name),
    }
}

#[cfg(test)]
mod tests {
    use super::super::job::example;
    use super::*;

    #[test]
    fn an_agent() {
        let job = example();
        let text = agent(&job);
        let options = roxmltree::ParsingOptions {
            allow_dtd: true,
            ..Default::default()
        };
        let xml = roxmltree::Document::parse_with_options(&text, options).unwrap();
        let dict = xml.root_element().first_element_child().unwrap();
        let told: Vec<String> = dict
            .descendants()
            .skip(1)
            .filter(roxmltree::Node::is_element)
            .map(|node| match node.text().map(str::trim) {
                None | Some("") => node.tag_name().name().to_owned(),
                Some(text) => text.to_owned(),
            })
            .collect();
        assert_eq!(
            told,
            [
                "Label",
                &job.name,
                "ProgramArguments",
                "array",
                "/opt/100% $HOME/rhema",
                "crdt",
                "-C",
                r#"/home/ada/it's "100%" <$HOME> & \ so"#,
                "-q",
                "watch",
                "RunAtLoad",
                "true",
                "KeepAlive",
                "dict",
                "SuccessfulExit",
                "false",
                "ThrottleInterval",
                "10",
                "ExitTimeOut",
                "10",
                "Nice",
                "5",
                "StandardErrorPath",
                "/home/ada/it's/.git/rhema/watch.log",
            ]
        );
        assert!(
            text.contains("<string>/home/ada/it's \"100%\" &lt;$HOME&gt; &amp; \\ so</string>")
        );
    }

    #[test]
    fn the_commands_are_for_a_shell() {
        let job = example();
        let commands = commands(&job, Path::new("/Users/it's/a.plist"));
        assert_eq!(
            commands.start,
            r"launchctl bootstrap gui/$(id -u) '/Users/it'\''s/a.plist'"
        );
        assert_eq!(
            commands.stop,
            format!("launchctl bootout gui/$(id -u)/{}", job.name)
        );
    }
}
