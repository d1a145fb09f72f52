//! The `rhema` binary.

fn main() -> std::process::ExitCode {
    rhema_crdt::cli::run()
}
