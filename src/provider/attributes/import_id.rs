//! How users name an object to import: `host/name`, or the identity's attributes.

use crate::tf_provider::diagnostics::Diagnostic;
use crate::tf_provider::provider::ImportBy;
use crate::tf_provider::value::Value;

/// Host and name. `first` and `second` are the identity's attributes, `example` an id that would be right.
pub(crate) fn parse(
    by: ImportBy,
    first: &str,
    second: &str,
    example: &str,
) -> Result<(String, String), Diagnostic> {
    match by {
        ImportBy::Id(id) => {
            let parts = id
                .split_once('/')
                .filter(|(host, name)| !host.is_empty() && !name.is_empty() && !name.contains('/'));
            parts.map(|(host, name)| (host.to_owned(), name.to_owned())).ok_or_else(|| {
                let detail =
                    format!("The id has the form {first}/{second}, for example {example:?}; got {id:?}.");
                Diagnostic::error("Invalid import id", detail)
            })
        }
        ImportBy::Identity(parts) => {
            let part = |name: &str| {
                parts.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| {
                    let detail = format!("The identity needs {first} and {second}; {name} is missing.");
                    Diagnostic::error("Invalid import identity", detail)
                })
            };
            Ok((part(first)?, part(second)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn ids_have_two_parts() {
        let parse = |id: &str| parse(ImportBy::Id(id.to_owned()), "host", "name", "local/chat");
        assert_eq!(parse("local/chat").unwrap(), ("local".to_owned(), "chat".to_owned()));
        for bad in ["", "chat", "/chat", "local/", "a/b/c"] {
            assert!(parse(bad).unwrap_err().detail.contains("host/name"), "{bad}");
        }
    }

    #[test]
    fn identities_need_both_attributes() {
        let identity = |names: &[&str]| {
            let parts: BTreeMap<_, _> =
                names.iter().map(|name| ((*name).to_owned(), Value::string("x"))).collect();
            parse(ImportBy::Identity(parts), "host", "name", "local/chat")
        };
        assert!(identity(&["host", "name"]).is_ok());
        assert!(identity(&["host"]).unwrap_err().detail.contains("name is missing"));
    }
}
