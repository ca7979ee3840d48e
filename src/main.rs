//! The program: what its arguments ask for, looked up in one table.
//!
//! Terraform starts it without arguments and speaks to it over a socket, so every word here is for people: those who
//! debug the provider, and those who work on it.

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use terraform_provider_dynamo::docs::{self, Pages, Repository};
use terraform_provider_dynamo::provider::{ADDRESS, Dynamo, render};
use terraform_provider_dynamo::tf_provider::process::{self, LaunchMode, Options};
use terraform_provider_dynamo::tf_provider::server::Server;

/// What can be asked for.
struct Command {
    /// [`FILE`] stands for any one that is no option.
    arguments: &'static [&'static str],
    /// For `--help`; completes "it …".
    does: &'static str,
    /// Gets the arguments as they were given.
    run: fn(&[String]) -> ExitCode,
}

/// The name of a file, or `-` for the standard input.
const FILE: &str = "FILE.json";

const COMMANDS: &[Command] = &[
    Command {
        arguments: &[],
        does: "serves Terraform, which starts it by itself",
        run: |_| serve(LaunchMode::Plugin),
    },
    Command {
        arguments: &["-debug"],
        does: "serves Terraform runs that are attached to it by TF_REATTACH_PROVIDERS, until it is interrupted",
        run: |_| serve(LaunchMode::Debug),
    },
    Command {
        arguments: &["schema"],
        does: "prints the schema as JSON, as `terraform providers schema -json` does for one provider",
        run: |_| report(print_schema()),
    },
    Command {
        arguments: &["docs"],
        does: "writes docs/ of this repository from the schema and examples/",
        run: |_| report(write_docs()),
    },
    Command {
        arguments: &["docs", "--check"],
        does: "fails when docs/ is not what `docs` would write",
        run: |_| report(check_docs()),
    },
    Command {
        arguments: &["render", FILE],
        does: "prints as JSON which containers a deployment and its workers come to; `-` reads the standard input",
        run: |arguments| render(arguments.last().map_or("-", String::as_str)),
    },
    Command { arguments: &["--version"], does: "prints its version", run: |_| report(print(&version())) },
    Command { arguments: &["--help"], does: "prints this", run: |_| report(print(&help())) },
];

fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned()).collect();
    match find(&arguments) {
        Some(command) => (command.run)(&arguments),
        None => {
            drop(write!(io::stderr(), "unknown arguments: {}\n\n{}", arguments.join(" "), help()));
            ExitCode::from(2)
        }
    }
}

fn find(arguments: &[String]) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| {
        command.arguments.len() == arguments.len()
            && command.arguments.iter().zip(arguments).all(|(known, given)| same(known, given))
    })
}

/// `-debug` is `--debug`: Go programs, which providers usually are, take one dash and everybody else two.
fn same(known: &str, given: &str) -> bool {
    if known == FILE {
        return given == "-" || !given.starts_with('-');
    }
    let word = |text: &str| text.trim_start_matches('-').to_owned();
    known.starts_with('-') == given.starts_with('-') && word(known) == word(given)
}

fn version() -> String {
    format!("{} {}\n", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
}

fn help() -> String {
    let words = |it: &Command| match it.arguments {
        [] => "(nothing)".to_owned(),
        arguments => arguments.join(" "),
    };
    let rows: String = COMMANDS.iter().map(|it| format!("  {:<18} {}\n", words(it), it.does)).collect();
    format!(
        "{}{}.\n\nTerraform and OpenTofu start this program themselves, once {ADDRESS:?}\n\
         stands under required_providers of a configuration. By hand, its arguments are:\n\n{rows}",
        version(),
        env!("CARGO_PKG_DESCRIPTION")
    )
}

fn serve(mode: LaunchMode) -> ExitCode {
    process::run(Options { address: ADDRESS, mode }, |lifetime| Server::new(Dynamo, lifetime))
}

/// The error, if there is one, for a person.
fn report(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr(), "error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).context("stdout cannot be written to")
}

fn print_schema() -> anyhow::Result<()> {
    print(&format!("{:#}\n", docs::schema::json(&Dynamo)))
}

fn render(file: &str) -> ExitCode {
    let text = if file == "-" { io::read_to_string(io::stdin()) } else { std::fs::read_to_string(file) };
    let text = match text {
        Ok(text) => text,
        Err(error) => {
            return report(Err(anyhow::Error::new(error).context(format!("{file} cannot be read"))));
        }
    };
    let rendered = render::render(&text);
    let said = rendered.as_ref().map_or_else(|errors| errors, |(_, warnings)| warnings);
    for diagnostic in &said.0 {
        drop(writeln!(io::stderr(), "{diagnostic}"));
    }
    match rendered {
        Ok((json, _)) => report(print(&json)),
        Err(_) => ExitCode::FAILURE,
    }
}

/// The checkout in the current folder, and the pages that belong there.
fn pages() -> anyhow::Result<(Repository, Pages)> {
    let root = std::env::current_dir().context("the current folder cannot be found out")?;
    let repository = Repository::at(root)?;
    let pages = docs::render(&Dynamo, &docs::MANUAL, &|file| repository.example(file))?;
    Ok((repository, pages))
}

fn write_docs() -> anyhow::Result<()> {
    let (repository, pages) = pages()?;
    for difference in repository.write(&pages)? {
        drop(writeln!(io::stderr(), "{difference}: {}", difference.remedy()));
    }
    Ok(())
}

fn check_docs() -> anyhow::Result<()> {
    let (repository, pages) = pages()?;
    let differences = repository.differences(&pages)?;
    if differences.is_empty() {
        return Ok(());
    }
    let listed: String = differences.iter().map(|it| format!("\n  {it}")).collect();
    bail!("docs/ is not what schema, guides and examples say. Run `make docs` and commit the result.{listed}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Option<&'static [&'static str]> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        find(&arguments).map(|command| command.arguments)
    }

    #[test]
    fn every_command_is_found_by_its_own_words() {
        for command in COMMANDS {
            assert_eq!(asked(&command.arguments.join(" ")), Some(command.arguments));
        }
    }

    #[test]
    fn dashes_may_be_one_or_two_and_nothing_else_is_guessed() {
        assert_eq!(asked("--debug"), Some(["-debug"].as_slice()));
        assert_eq!(asked("-version"), Some(["--version"].as_slice()));
        for line in ["debug", "--docs", "docs check", "docs --check --check", "serve", "-d"] {
            assert_eq!(asked(line), None, "{line}");
        }
    }

    #[test]
    fn help_names_every_command() {
        for command in COMMANDS {
            assert!(help().contains(command.does));
        }
    }
}
