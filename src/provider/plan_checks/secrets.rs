//! Values that look like secrets and stand where everybody reads them: warned of, by name and never by value.

use crate::dynamo::check::secret_env::looks_secret;
use crate::provider::attributes::blocks::TextMap;
use crate::provider::attributes::to_draft;
use crate::tf_provider::attr::{Attr, Dynamic};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::value::Path;

/// Variables of `env` that belong into `secret_env`.
pub(crate) fn in_env(env: &Attr<TextMap>) -> Diagnostics {
    let names = env.known().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let secret = names.map(|(name, _)| name).filter(|name| looks_secret(name));
    let warning = |name: &String| {
        let detail = format!(
            "{name} looks like a secret. What is in env is in the plan, in the state and in a label of the container; what is in \
             secret_env is in none of them. Move {name} to secret_env."
        );
        Diagnostic::warning("A secret in plain sight", detail).at(Path::of("env").key(name))
    };
    Diagnostics(secret.map(warning).collect())
}

/// As [`in_env`], and in engine arguments, each with the name of its attribute.
pub(crate) fn warnings(env: &Attr<TextMap>, args: &[(&str, &Attr<Dynamic>)]) -> Diagnostics {
    let mut found = in_env(env);
    args.iter().for_each(|(attribute, args)| found.extend(in_args(attribute, args)));
    found
}

/// Engine arguments, in the attribute of that name, whose values everybody sees who may list processes.
fn in_args(attribute: &str, args: &Attr<Dynamic>) -> Diagnostics {
    let path = Path::of(attribute);
    // What is wrong with them is said elsewhere.
    let given = to_draft::engine_args(args, &path).unwrap_or_default();
    let warning = |name: &String| {
        let detail = format!(
            "{name} looks like a secret. Engine arguments are in the plan, in the state, in a label of the container and in the \
             host's list of processes. Engines read such values from a variable too: give it in secret_env (HF_TOKEN, \
             VLLM_API_KEY, …), and remove {name}."
        );
        Diagnostic::warning("A secret in plain sight", detail).at(path.clone())
    };
    Diagnostics(given.keys().filter(|name| looks_secret(name)).map(warning).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tf_provider::value::Value;
    use std::collections::BTreeMap;

    #[test]
    fn secrets_are_named_and_not_shown() {
        let env = BTreeMap::from([
            ("HF_TOKEN".to_owned(), Attr::Known("canary".to_owned())),
            ("API_KEY".to_owned(), Attr::Unknown),
            ("NO_PASSWORD".to_owned(), Attr::Null),
            ("LOG".to_owned(), Attr::Known("canary".to_owned())),
        ]);
        let found = in_env(&Attr::Known(env));
        let at: Vec<String> = found.0.iter().map(|it| it.path.clone().unwrap().to_string()).collect();
        assert_eq!(at, ["env[\"API_KEY\"]", "env[\"HF_TOKEN\"]"]);
        let text = format!("{found:?}");
        assert!(text.contains("secret_env") && !text.contains("canary"), "{text}");
        assert!(in_env(&Attr::Unknown).0.is_empty() && in_env(&Attr::Null).0.is_empty());
        assert!(in_args("engine_args", &Attr::Known(Dynamic(Value::Null))).0.is_empty());
    }
}
