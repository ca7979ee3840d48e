//! How an engine's command line spells its arguments.

/// How an engine's command line is to be written.
#[derive(Debug, PartialEq)]
pub struct ArgRules {
    /// Other names of an argument, each with the one under which it is kept.
    pub spellings: &'static [(&'static str, &'static str)],
    /// What stands before the dot of keys of a map, with the argument that is given the whole map.
    pub maps: &'static [(&'static str, &'static str)],
    /// Flags that exist as `--no-name` too.
    pub negatable: &'static [&'static str],
    pub lists: ListStyle,
    /// Arguments the provider decides, beside those of every engine, and what the user should do instead.
    pub reserved: &'static [(&'static str, &'static str)],
}

/// The way in which an engine takes an argument of several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListStyle {
    /// `--ports 1,2`
    Commas,
    /// `--ports 1 2`
    Words,
}
