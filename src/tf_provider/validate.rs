//! A configuration against its schema, offline: every check of every known value, all errors at once.

use super::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::schema::{Attribute, AttributeType, Entry, Kind, Nesting};
use crate::tf_provider::value::{Path, Value};

/// Walks `config` (an object of the entries' type). `write_only_allowed` is what the client said it can do.
pub fn config(entries: &[Entry], config: &Value, write_only_allowed: bool) -> Diagnostics {
    let mut walk = Walk { write_only_allowed, found: Diagnostics::new() };
    walk.object(entries, config, &Path::root());
    walk.found
}

struct Walk {
    write_only_allowed: bool,
    found: Diagnostics,
}

impl Walk {
    fn object(&mut self, entries: &[Entry], value: &Value, path: &Path) {
        for entry in entries {
            let (value, path) = (value.get(&entry.name), path.attribute(&entry.name));
            match &entry.kind {
                Kind::Attribute(attribute) => self.attribute(attribute, value, &path),
                Kind::Block { nesting, entries } => self.nested(*nesting, entries, value, &path),
            }
        }
    }

    fn attribute(&mut self, attribute: &Attribute, value: &Value, path: &Path) {
        if value.is_null() {
            return;
        }
        if attribute.write_only && !self.write_only_allowed {
            let detail = "The attribute is write-only: its value is used but never stored. This needs Terraform or \
                          OpenTofu 1.11 or later.";
            self.found.push(
                Diagnostic::error("Write-only attributes are not supported here", detail).at(path.clone()),
            );
        }
        let secret = attribute.sensitive || attribute.write_only;
        for check in &attribute.checks {
            for error in check.errors(value, path, secret) {
                self.found.push(error.into());
            }
        }
        if let AttributeType::Nested { nesting, entries } = &attribute.ty {
            self.nested(*nesting, entries, value, path);
        }
    }

    fn nested(&mut self, nesting: Nesting, entries: &[Entry], value: &Value, path: &Path) {
        match (nesting, value) {
            (_, Value::Null | Value::Unknown) => {}
            (Nesting::Single, value) => self.object(entries, value, path),
            (Nesting::List, value) => {
                for (index, item) in value.as_list().unwrap_or_default().iter().enumerate() {
                    self.element(entries, item, &path.index(index));
                }
            }
            (Nesting::Map, value) => {
                for (key, item) in value.as_map().into_iter().flatten() {
                    self.element(entries, item, &path.key(key));
                }
            }
        }
    }

    fn element(&mut self, entries: &[Entry], value: &Value, path: &Path) {
        if value.is_known() {
            self.object(entries, value, path);
        }
    }
}
