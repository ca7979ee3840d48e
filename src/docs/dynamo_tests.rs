//! The provider itself, held to what its users rely on: a schema that Terraform accepts, and pages that leave nothing out.

use crate::docs::*;
use crate::dynamo::facts::release;
use crate::dynamo::terms::words::Mode;
use crate::provider::Dynamo;
use crate::tf_provider::model::Model;
use crate::tf_provider::schema::rules::{Use, violations};
use crate::tf_provider::schema::{Attribute, AttributeType, Entry, Kind, OnChange};
use std::path::{Path, PathBuf};

type Config = <Dynamo as Provider>::Config;

fn pages() -> Pages {
    let repository = Repository::at(env!("CARGO_MANIFEST_DIR")).unwrap();
    render(&Dynamo, &MANUAL, &|file| repository.example(file)).unwrap()
}

/// Everything with a schema: its name, its page, its entries.
fn schemas() -> Vec<(&'static str, String, Vec<Entry>)> {
    let registry = Registry::of(&Dynamo);
    let short = |name: &str| name.strip_prefix("dynamo_").unwrap().to_owned();
    let mut all = vec![("provider", "index.md".to_owned(), Config::entries())];
    for (name, it) in &registry.resources {
        all.push((name, format!("resources/{}.md", short(name)), it.entries()));
    }
    for (name, it) in &registry.data_sources {
        all.push((name, format!("data-sources/{}.md", short(name)), it.entries()));
    }
    for (name, it) in &registry.ephemerals {
        all.push((name, format!("ephemeral-resources/{}.md", short(name)), it.entries()));
    }
    all
}

#[test]
fn terraform_accepts_every_schema() {
    let registry = Registry::of(&Dynamo);
    let use_of = |name: &str| match name {
        "provider" => Use::Provider,
        name if registry.resources.contains_key(name) => Use::Resource,
        _ => Use::DataSource,
    };
    for (name, _, entries) in schemas() {
        assert_eq!(violations(name, &entries, use_of(name)), [""; 0]);
    }
}

#[test]
fn every_attribute_is_on_its_page_in_its_section() {
    let pages = pages();
    for (name, page, entries) in schemas() {
        let page = &pages[&PathBuf::from(page)];
        let (_, section) = page.split_once("\n## Schema\n").unwrap();
        // The root's own lists end where the first nested section begins.
        every_entry(name, section.split("<a id=").next().unwrap(), page, "", &entries);
    }
}

fn every_entry(name: &str, section: &str, page: &str, path: &str, entries: &[Entry]) {
    for entry in entries {
        let place = if path.is_empty() { entry.name.clone() } else { format!("{path}.{}", entry.name) };
        let line = section.lines().find(|line| line.starts_with(&format!("- `{}` (", entry.name)));
        let line = line.unwrap_or_else(|| panic!("{name}: {place} is not in its section"));
        assert!(line.contains(entry.description.lines().next().unwrap()), "{name}: {place}");
        if let Kind::Attribute(Attribute { on_change: OnChange::Replace, .. }) = entry.kind {
            assert!(line.contains("Changing it replaces"), "{name}: {place}");
        }
        let children = match &entry.kind {
            Kind::Block { entries, .. } => entries,
            Kind::Attribute(Attribute { ty: AttributeType::Nested { entries, .. }, .. }) => entries,
            Kind::Attribute(_) => continue,
        };
        let heading = format!("### Nested Schema for `{place}`\n");
        let (_, nested) = page.split_once(&heading).unwrap_or_else(|| panic!("{name}: no section {place}"));
        every_entry(name, nested.split("<a id=").next().unwrap(), page, &place, children);
    }
}

#[test]
fn every_registered_type_has_a_page_with_an_example_and_resources_say_how_to_import() {
    let pages = pages();
    for (name, page, _) in schemas() {
        let text = &pages[&PathBuf::from(&page)];
        assert!(text.contains("\n## Example Usage\n\n```terraform\n"), "{name}");
        if page.starts_with("resources/") {
            assert!(text.contains("\n## Import\n") && text.contains(&format!("to = {name}.")), "{name}");
            assert!(text.contains(&format!("resource {name:?}")), "{name}: its example is of something else");
        }
    }
}

#[test]
fn front_matter_is_what_the_registry_wants() {
    for (path, page) in pages() {
        let (front, _) = page.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap();
        assert!(
            front.contains("page_title: \"") && front.contains("description: |-\n  "),
            "{path:?}: {front}"
        );
        let is_index = path.as_os_str() == "index.md";
        assert_eq!(front.contains("subcategory:"), !is_index, "{path:?}: {front}");
        assert!(!front.contains("layout:") && !front.contains("sidebar_current:"), "{path:?}");
        assert!(page.len() < 500_000, "{path:?}: the registry takes 500 kB");
    }
}

#[test]
fn the_guide_has_every_connector_of_the_newest_release() {
    let guide = pages().remove(Path::new("guides/prefill-and-decode.md")).unwrap();
    let mut rows = Vec::new();
    for engine in release::ALL.last().unwrap().engines {
        for mode in Mode::ALL {
            let there = engine.connectors.iter().filter(|row| row.mode == *mode);
            let mut words: Vec<String> = there.map(|row| format!("`{}`", row.connector.word())).collect();
            words.dedup();
            rows.push(format!("| `{}` | `{}` | {} |", engine.engine.word(), mode.word(), words.join(", ")));
        }
    }
    let mut written: Vec<&str> = guide.lines().filter(|line| line.starts_with("| `")).collect();
    rows.sort_unstable();
    written.sort_unstable();
    assert_eq!(written, rows);
}

#[test]
fn guides_link_to_pages_that_exist() {
    let pages = pages();
    for (path, page) in &pages {
        for link in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with('#') || link.starts_with("https://") {
                continue;
            }
            let target = match link.strip_prefix("../") {
                Some(rest) => PathBuf::from(rest),
                None => path.parent().unwrap().join(link),
            };
            assert!(pages.contains_key(&target), "{path:?} links to {link}");
        }
    }
}
