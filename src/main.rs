//! argv, once: Terraform starts the program without arguments; `-debug` serves for Terraform to attach to.

use std::process::ExitCode;

use terraform_provider_dynamo::provider::{ADDRESS, Dynamo};
use terraform_provider_dynamo::tf_provider::process::{self, Mode, Options};
use terraform_provider_dynamo::tf_provider::server::Server;

fn main() -> ExitCode {
    let mode = match std::env::args().nth(1).as_deref() {
        Some("-debug" | "--debug") => Mode::Debug,
        _ => Mode::Plugin,
    };
    process::run(Options { address: ADDRESS, mode }, |lifetime| Server::new(Dynamo, lifetime))
}
