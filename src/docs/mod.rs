//! The reference documentation, made from the declarations that also make the schema.
//!
//! HashiCorp's generator sees only what travels to Terraform, and defaults, checks and what replaces a resource do not
//! travel. They stand in our declarations, so the pages come from there and cannot lag behind: `docs/` is wholly
//! generated, and `docs --check` fails when it is not what the declarations say. Layout, headings and anchors are those
//! that the registry and its `tfplugindocs validate` expect.
//!
//! [`render`] is pure: a provider, texts and examples in, pages out. [`Repository`] reads and writes the files, and
//! [`schema`] prints the schema as Terraform itself would. All of it knows only `tf_provider`; what is particular to
//! Dynamo comes in as a [`Manual`].

mod page;
mod reference;
mod repository;
pub mod schema;

#[cfg(test)]
mod dynamo_tests;
#[cfg(test)]
mod tests;

pub use page::{DocsError, Guide, Pages};
pub use repository::{Difference, Repository, RepositoryError};

use crate::tf_provider::provider::{Provider, Registry};

/// What documentation consists of besides the schema.
#[derive(Clone, Copy, Debug)]
pub struct Manual {
    /// The provider's local name, with which the names of its types begin.
    pub provider: &'static str,
    pub guides: &'static [Guide],
}

/// The manual of this provider.
pub const MANUAL: Manual = Manual {
    provider: "dynamo",
    guides: &[
        Guide { name: "without-a-gpu", text: include_str!("templates/without-a-gpu.md") },
        Guide { name: "models-and-memory", text: include_str!("templates/models-and-memory.md") },
        Guide { name: "prefill-and-decode", text: include_str!("templates/prefill-and-decode.md") },
        Guide { name: "several-hosts", text: include_str!("templates/several-hosts.md") },
        Guide { name: "releases-and-upgrades", text: include_str!("templates/releases-and-upgrades.md") },
        Guide { name: "how-changes-are-applied", text: include_str!("templates/how-changes-are-applied.md") },
        Guide { name: "rendering", text: include_str!("templates/rendering.md") },
    ],
};

/// Every page. `example` gives the text of a file by its path below `examples/`.
pub fn render<P: Provider>(
    provider: &P,
    manual: &Manual,
    example: &dyn Fn(&str) -> Option<String>,
) -> Result<Pages, DocsError> {
    let registry = Registry::of(provider);
    let writer = page::Writer { provider: manual.provider, example };
    let mut pages = Pages::new();
    pages.insert("index.md".into(), writer.index(provider)?);
    for (name, resource) in &registry.resources {
        pages.insert(writer.path("resources", name), writer.resource(resource.as_ref())?);
    }
    for (name, source) in &registry.data_sources {
        let page = writer.of_type(page::DATA_SOURCE, source.about(), &source.entries())?;
        pages.insert(writer.path("data-sources", name), page);
    }
    for (name, ephemeral) in &registry.ephemerals {
        let page = writer.of_type(page::EPHEMERAL, ephemeral.about(), &ephemeral.entries())?;
        pages.insert(writer.path("ephemeral-resources", name), page);
    }
    for (name, function) in &registry.functions {
        pages.insert(writer.path("functions", name), writer.function(&function.signature())?);
    }
    for guide in manual.guides {
        pages.insert(writer.path("guides", guide.name), writer.guide(guide)?);
    }
    Ok(pages)
}
