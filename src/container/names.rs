//! The name of a container that does not work yet.
//!
//! A container is created under its own name with [`STARTING`] behind it, and gets its own name once it works. So a name
//! without the ending stands for something that worked, and after a kill in mid-start the next run can tell the leftover.

/// The ending of a container's name until the container is ready.
pub const STARTING: &str = "--starting";

/// The name that a container has until it is ready and is called `name`.
pub fn starting(name: &str) -> String {
    format!("{name}{STARTING}")
}

/// The final name of a container that is called as one that is not ready; `None` for any other.
pub fn final_name(name: &str) -> Option<&str> {
    name.strip_suffix(STARTING).filter(|rest| !rest.is_empty())
}
