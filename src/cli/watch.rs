//! `rhema crdt watch`: stays, and keeps this work tree in step with others.

use std::net::SocketAddr;

use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::round::counted;
use super::ui::{Ui, printable};
use crate::git::Repo;
use crate::node::Discovery;
use crate::peers::{Heard, Met, Sight, Staying, stay};
use crate::replica::Report;

/// Keep this work tree in step with others until it is ended
///
/// Stays in the foreground, records what is edited, exchanges it with others as it happens and shows what they say. Ends
/// with Ctrl-C. With --json an event is printed a line; the first one says where this work tree listens.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt watch                             with everybody on the local network\n  \
    rhema crdt watch --peer office.example:4711  and with one who is elsewhere\n  \
    rhema crdt watch --discovery off --listen 127.0.0.1:0 --json")]
pub(super) struct Arguments {
    /// Where to listen; at all addresses, on the port of the last time, if not given
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Where somebody is; may be given several times
    #[arg(long, value_name = "HOST:PORT")]
    peer: Vec<String>,
    /// End when standard input ends, too: for programs that start it, so that it never outlives them
    #[arg(long)]
    until_eof: bool,
    /// How others are found: on the local network, at known addresses only, through the git remote, or not at all
    #[arg(long, value_name = "HOW", value_parser = discovery)]
    discovery: Option<Discovery>,
}

/// What can be typed for a way to find others.
pub(super) fn discovery(text: &str) -> Result<Discovery, String> {
    Discovery::ALL
        .into_iter()
        .find(|discovery| discovery.name() == text)
        .ok_or_else(|| "expected local, static, git or off".to_owned())
}

/// An event, for scripts; the names are a contract.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event {
    Listening {
        address: String,
        node: String,
    },
    Peer {
        node: String,
        name: String,
        state: &'static str,
        address: Option<String>,
        error: Option<String>,
    },
    Received {
        node: String,
        name: String,
        edits: usize,
    },
    Joined {
        node: String,
        name: String,
        role: &'static str,
    },
    Recorded {
        edits: usize,
    },
    Remote {
        name: String,
        sent: usize,
        received: usize,
        error: Option<String>,
    },
    Rendered {
        documents: Vec<String>,
    },
    Conflict {
        document: String,
        field: String,
    },
    Parked {
        document: String,
        edits: usize,
    },
    Warning {
        text: String,
    },
}

impl Event {
    /// The same for people.
    fn in_words(&self) -> String {
        match self {
            Event::Listening { address, node } => {
                format!("Node {node} listens at {address}; Ctrl-C ends it.\n")
            }
            Event::Peer {
                name,
                state,
                address: Some(address),
                ..
            } => format!("{name}: {state} at {address}\n"),
            Event::Peer {
                name,
                state,
                error: Some(error),
                ..
            } => format!("{name}: {state}: {error}\n"),
            Event::Peer { name, state, .. } => format!("{name}: {state}\n"),
            Event::Received { name, edits, .. } => {
                format!("{} from {name}\n", counted(*edits, "edit"))
            }
            Event::Joined { name, role, .. } => format!(
                "{} joined as {role}; for everybody once it is committed: git commit .rhema/crdt/members.yaml\n",
                printable(name)
            ),
            Event::Recorded { edits } => format!("{} recorded\n", counted(*edits, "edit")),
            Event::Remote {
                name,
                error: Some(error),
                ..
            } => format!("git remote {name}: {error}\n"),
            Event::Remote {
                name,
                sent,
                received,
                error: None,
            } => format!(
                "git remote {name}: {} out, {received} in\n",
                counted(*sent, "edit")
            ),
            Event::Rendered { documents } => format!("changed: {}\n", documents.join(", ")),
            Event::Conflict { document, field } => format!(
                "{document}: {field} was written by two at once: `rhema crdt resolve` shows both\n"
            ),
            Event::Parked { document, edits } => format!(
                "{document}: {} out of sight: `rhema crdt unpark` brings what is parked back\n",
                counted(*edits, "edit")
            ),
            Event::Warning { .. } => String::new(),
        }
    }
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    let staying = Staying {
        listen: arguments.listen,
        peers: arguments.peer.clone(),
        discovery: arguments.discovery,
    };
    let print = |event: Event| {
        if let Event::Warning { text } = &event {
            ui.warn(text);
        }
        let printed = match ui.wants_json() {
            true => ui.json(&event),
            false => ui.say(&event.in_words()),
        };
        if let Err(error) = printed {
            tracing::info!("{error:#}");
        }
    };
    stay(
        &repo,
        &staying,
        ended(arguments.until_eof),
        |address, node| {
            print(Event::Listening {
                address: address.to_string(),
                node: node.id().to_string(),
            });
        },
        |heard| heard_of(heard, &repo, &print),
        |text| print(Event::Warning { text }),
    )?;
    Ok(Outcome::Done)
}

fn heard_of(heard: Heard, repo: &Repo, print: &impl Fn(Event)) {
    let peer = |peer: &crate::node::Admitted, state, address, error| Event::Peer {
        node: peer.id.to_string(),
        name: peer.name.clone(),
        state,
        address,
        error,
    };
    match heard {
        Heard::Met { peer: who, address } => print(peer(&who, "connected", Some(address), None)),
        Heard::InStep { peer: who } => print(peer(&who, "in step", None, None)),
        Heard::Over(over) if over.is_double => {}
        Heard::Over(over) => print(peer(&over.peer, "gone", None, over.error.clone())),
        Heard::Told { peer: who, what } => print(Event::Warning {
            text: format!("{}: {what}", who.name),
        }),
        Heard::Learned { peer: who, edits } => print(Event::Received {
            node: who.id.to_string(),
            name: who.name,
            edits,
        }),
        Heard::MetThere(met) => tell_of_remote(met, print),
        Heard::Joined(joiner) => print(Event::Joined {
            node: joiner.id.to_string(),
            name: joiner.name,
            role: joiner.role.name(),
        }),
        Heard::Round(report) => tell_of_round(*report, repo, print),
        Heard::Sight(Sight::Events) => {}
        Heard::Sight(Sight::Polling(why)) => print(Event::Warning {
            text: format!("files are looked at every half a second: {why}"),
        }),
        Heard::Failed(error) => print(Event::Warning {
            text: format!("{:#}", anyhow::Error::from(error)),
        }),
    }
}

fn tell_of_remote(met: Met, print: &impl Fn(Event)) {
    for text in met.notes {
        print(Event::Warning { text });
    }
    let has_failed = met.error.is_some() && !met.is_told;
    if met.sent > 0 || met.received > 0 || has_failed {
        print(Event::Remote {
            name: met.remote,
            sent: met.sent,
            received: met.received,
            error: met.error,
        });
    }
}

fn tell_of_round(report: Report, repo: &Repo, print: &impl Fn(Event)) {
    if report.edits > 0 {
        print(Event::Recorded {
            edits: report.edits,
        });
    }
    if !report.written.is_empty() {
        let documents = report.written.iter().map(|file| repo.shown(file)).collect();
        print(Event::Rendered { documents });
    }
    for (file, fields) in &report.contested {
        for field in fields {
            print(Event::Conflict {
                document: repo.shown(file),
                field: field.to_string(),
            });
        }
    }
    for (file, edits) in &report.parked {
        print(Event::Parked {
            document: repo.shown(file),
            edits: *edits,
        });
    }
    for text in report.warnings(repo) {
        print(Event::Warning { text });
    }
}

/// Waits until somebody ends the program, or standard input ends if that counts.
async fn ended(until_eof: bool) {
    if until_eof {
        tokio::select! {
            () = signalled() => {}
            () = input_ended() => {}
        }
    } else {
        signalled().await;
    }
}

async fn input_ended() {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // What is said there does not matter.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = tell.send(());
    });
    let _ = told.await;
}

pub(super) async fn signalled() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        let Ok(mut terminated) = terminated else {
            let _ = interrupted.await;
            return;
        };
        tokio::select! {
            _ = interrupted => {}
            _ = terminated.recv() => {}
        }
    }
    #[cfg(not(unix))]
    {
        let _ = interrupted.await;
    }
}
