//! Paths below a folder.

/// Whether `path`, joined to a folder, is something below it, and the same thing however it is written: names between
/// single slashes, none of which goes anywhere else.
pub(crate) fn is_plain(path: &str) -> bool {
    !path.contains('\0') && path.split('/').all(|name| !matches!(name, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_below_a_folder_is_told_from_one_that_leaves_it() {
        for path in ["a", "a/b", ".a", "..a", "a..", "a/...", "-rf", "a b/it's\n*", "\u{fffd}"] {
            assert!(is_plain(path), "{path:?}");
        }
        for path in
            ["", "/", "/a", "a/", "a//b", ".", "./a", "a/.", "a/./b", "..", "../a", "a/..", "a/../b", "a\0b"]
        {
            assert!(!is_plain(path), "{path:?}");
        }
    }
}
