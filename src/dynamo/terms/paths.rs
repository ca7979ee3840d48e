//! Absolute paths, on hosts and in containers.
//!
//! Paths end up in mounts, and are compared with what the Engine reports: so there is one spelling of each, without a
//! slash at the end and without `.` and `..`. Colons and commas are refused because Docker separates the parts of a
//! volume with them in some of its notations, and reads the rest as something else.

use super::objection::Refusal;

/// The path in its one spelling. `/` is a path here.
pub(crate) fn absolute(text: &str) -> Result<String, Refusal> {
    let wrong = |what: &str| {
        Err(Refusal::new(format!("{text:?} {what}"), "give an absolute path such as /data/models"))
    };
    if text == "/" {
        return Ok(text.to_owned());
    }
    let Some(inner) = text.strip_prefix('/') else {
        return wrong("is not an absolute path");
    };
    if let Some(bad) = text.chars().find(|c| c.is_control() || matches!(c, ':' | ',' | '\\')) {
        return wrong(&format!("has the character {bad:?} in it, which Docker would misread"));
    }
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    if inner.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return wrong("has an empty part, \".\" or \"..\" in it");
    }
    Ok(format!("/{inner}"))
}

/// As [`absolute`], and not the root of the container.
pub(crate) fn in_container(text: &str) -> Result<String, Refusal> {
    match absolute(text)?.as_str() {
        "/" => Err(Refusal::new("nothing can be mounted at /", "name a folder below it")),
        path => Ok(path.to_owned()),
    }
}

/// Whether `path` is `folder` or lies in it.
pub(crate) fn within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_each() {
        assert_eq!(absolute("/"), Ok("/".into()));
        assert_eq!(absolute("/a/b/"), Ok("/a/b".into()));
        assert_eq!(absolute("/a b/ä"), Ok("/a b/ä".into()));
        for bad in ["", "a", "./a", "~/a", "//", "/a//b", "/a/../b", "/a/.", "/a:b", "/a,b", "/a\0", "/a\n"] {
            assert!(absolute(bad).is_err(), "{bad:?}");
        }
        assert!(in_container("/").is_err());
    }

    #[test]
    fn within_counts_whole_parts() {
        assert!(within("/a/b", "/a") && within("/a", "/a"));
        assert!(!within("/ab", "/a") && !within("/a", "/a/b"));
    }
}
