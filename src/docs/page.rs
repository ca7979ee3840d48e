//! Whole pages: front matter, what it is, an example that works, the schema, how to import.
//!
//! Every type must have an example, and every resource a way to import it: a page without them is an error, so that
//! neither is forgotten with the next resource. Examples are files, which tests run.

use super::reference;
use crate::tf_provider::erased::AnyResource;
use crate::tf_provider::model::Model;
use crate::tf_provider::provider::{About, Parameter, Provider, Signature};
use crate::tf_provider::schema::Entry;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Pages by their path below `docs/`.
pub type Pages = BTreeMap<PathBuf, String>;

/// A page that people wrote. A line `{{example FILE}}` in it becomes that file below `examples/`.
#[derive(Clone, Copy, Debug)]
pub struct Guide {
    /// File name without extension, which the registry shows in the address.
    pub name: &'static str,
    /// Markdown with front matter.
    pub text: &'static str,
}

/// Why the pages cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
/// The reason why the pages cannot be generated.
pub enum DocsError {
    #[error("{page} needs the example examples/{file}, which is missing or no UTF-8 text: write it")]
    NoExample { page: String, file: String },
}

/// A kind of thing that has a page with a schema.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    title: &'static str,
    /// Folder and file of its example.
    example: (&'static str, &'static str),
}

/// The kind of resources.
pub(super) const RESOURCE: Kind = Kind { title: "Resource", example: ("resources", "resource.tf") };
/// The kind of data sources.
pub(super) const DATA_SOURCE: Kind =
    Kind { title: "Data Source", example: ("data-sources", "data-source.tf") };
/// The kind of ephemeral resources.
pub(super) const EPHEMERAL: Kind =
    Kind { title: "Ephemeral Resource", example: ("ephemeral-resources", "ephemeral-resource.tf") };

/// Writes the pages of one provider.
pub(super) struct Writer<'a> {
    /// The provider's local name.
    pub provider: &'a str,
    /// The text of a file below `examples/`.
    pub example: &'a dyn Fn(&str) -> Option<String>,
}

impl Writer<'_> {
    /// The path of a page; names of types lose the provider's prefix, as the registry wants it.
    pub(super) fn path(&self, folder: &str, name: &str) -> PathBuf {
        let short = name.strip_prefix(self.provider).and_then(|rest| rest.strip_prefix('_')).unwrap_or(name);
        Path::new(folder).join(format!("{short}.md"))
    }

    /// The front page.
    pub(super) fn index<P: Provider>(&self, provider: &P) -> Result<String, DocsError> {
        let title = format!("{} Provider", self.provider);
        let page = Page::new(&title, None, provider.description())
            .heading(&title)
            .text(provider.description())
            .text("## Example Usage")
            .code("terraform", &self.example_for(&title, "provider/provider.tf")?)
            .text(&reference::section(&P::Config::entries()));
        Ok(page.done())
    }

    /// The page of a resource, with how it is imported.
    pub(super) fn resource<C>(&self, resource: &dyn AnyResource<C>) -> Result<String, DocsError> {
        let about = resource.about();
        let page = self.page(RESOURCE, about, &resource.entries())?;
        Ok(self.import(page, about.type_name, resource)?.done())
    }

    /// The page of anything with a schema and nothing else.
    pub(super) fn of_type(&self, kind: Kind, about: About, entries: &[Entry]) -> Result<String, DocsError> {
        Ok(self.page(kind, about, entries)?.done())
    }

    fn page(&self, kind: Kind, about: About, entries: &[Entry]) -> Result<Page, DocsError> {
        let name = about.type_name;
        let title = format!("{name} {} - {}", kind.title, self.provider);
        let (folder, file) = kind.example;
        let example = self.example_for(&title, &format!("{folder}/{name}/{file}"))?;
        Ok(Page::new(&title, Some(""), about.description)
            .heading(&format!("{name} ({})", kind.title))
            .text(about.description)
            .text("## Example Usage")
            .code("terraform", &example)
            .text(&reference::section(entries)))
    }

    fn import<C>(&self, page: Page, name: &str, resource: &dyn AnyResource<C>) -> Result<Page, DocsError> {
        let by_command = self.example_for(name, &format!("resources/{name}/import.sh"))?;
        let by_id = self.example_for(name, &format!("resources/{name}/import-by-string-id.tf"))?;
        let page = page
            .text("## Import")
            .text("With an [`import` block](https://developer.hashicorp.com/terraform/language/import):")
            .code("terraform", &by_id);
        let page = match resource.identity() {
            [] => page,
            attributes => page
                .text("Or by its identity, in Terraform 1.12 or later:")
                .code("terraform", &identity_import(name, attributes)),
        };
        Ok(page.text("Or with the command line:").code("shell", &by_command))
    }

    /// The page of a function.
    pub(super) fn function(&self, signature: &Signature) -> Result<String, DocsError> {
        let title = format!("{} Function - {}", signature.name, self.provider);
        let example = self.example_for(&title, &format!("functions/{}/function.tf", signature.name))?;
        let page = Page::new(&title, Some(""), signature.summary)
            .heading(&format!("function: {}", signature.name))
            .text(signature.description)
            .text("## Example Usage")
            .code("terraform", &example)
            .text("## Signature")
            .code("text", &call(signature))
            .text("## Arguments")
            .text(&arguments(signature));
        Ok(page.done())
    }

    /// A guide as it is written, with its examples filled in.
    pub(super) fn guide(&self, guide: &Guide) -> Result<String, DocsError> {
        let mut text = String::new();
        for line in guide.text.lines() {
            match line.strip_prefix("{{example ").and_then(|rest| rest.strip_suffix("}}")) {
                Some(file) => text += &fenced("terraform", &self.example_for(guide.name, file)?),
                None => text += line,
            }
            text.push('\n');
        }
        Ok(text)
    }

    fn example_for(&self, page: &str, file: &str) -> Result<String, DocsError> {
        (self.example)(file)
            .ok_or_else(|| DocsError::NoExample { page: page.to_owned(), file: file.to_owned() })
    }
}

/// A page in the making: paragraphs with a blank line between them.
struct Page(Vec<String>);

impl Page {
    /// `subcategory` groups pages in the registry's menu; the front page has none. The first sentence of `description`
    /// is what search results show.
    fn new(title: &str, subcategory: Option<&str>, description: &str) -> Self {
        let subcategory = subcategory.map(|it| format!("subcategory: {it:?}\n")).unwrap_or_default();
        Self(vec![format!(
            "---\npage_title: {title:?}\n{subcategory}description: |-\n  {}\n---",
            first_sentence(description)
        )])
    }

    fn heading(self, text: &str) -> Self {
        self.text(&format!("# {text}"))
    }

    fn text(mut self, text: &str) -> Self {
        self.0.push(text.trim_end().to_owned());
        self
    }

    fn code(self, language: &str, text: &str) -> Self {
        self.text(&fenced(language, text))
    }

    fn done(self) -> String {
        self.0.join("\n\n") + "\n"
    }
}

fn fenced(language: &str, text: &str) -> String {
    format!("```{language}\n{}\n```", text.trim_end())
}

/// Up to the first full stop that ends a sentence, on one line and without links.
fn first_sentence(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = match line.split_once(". ") {
        Some((sentence, _)) => format!("{sentence}."),
        None => line,
    };
    without_links(&sentence)
}

/// `[text](address)` → `text`.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        let Some((label, tail)) = link.split_once("](") else { break };
        let Some((_, after)) = tail.split_once(')') else { break };
        plain += before;
        plain += label;
        rest = after;
    }
    plain + rest
}

fn identity_import(name: &str, attributes: &[&str]) -> String {
    let width = attributes.iter().map(|it| it.len()).max().unwrap_or_default();
    let lines: String = attributes.iter().map(|it| format!("    {it:width$} = \"…\"\n")).collect();
    format!("import {{\n  to = {name}.example\n  identity = {{\n{lines}  }}\n}}")
}

fn call(signature: &Signature) -> String {
    let parameter = |it: &Parameter| format!("{} {}", it.name, it.ty);
    let variadic = signature.variadic.iter().map(|it| format!("{} {}...", it.name, it.ty));
    let parameters: Vec<String> = signature.parameters.iter().map(parameter).chain(variadic).collect();
    format!("{}({}) {}", signature.name, parameters.join(", "), signature.returns)
}

fn arguments(signature: &Signature) -> String {
    let fixed = signature.parameters.iter().map(|it| (it, ""));
    let variadic = signature.variadic.iter().map(|it| (it, ", any number of them"));
    let lines = fixed.chain(variadic).enumerate().map(|(index, (it, more))| {
        let null = if it.allow_null { ", may be null" } else { "" };
        let ty = reference::type_words(&it.ty);
        format!("{}. `{}` ({ty}{null}{more}) {}", index + 1, it.name, it.description)
    });
    lines.collect::<Vec<_>>().join("\n")
}
