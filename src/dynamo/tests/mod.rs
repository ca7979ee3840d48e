//! TODO head

pub mod combinations;
mod every_combination;
pub mod golden;
mod properties;
pub mod render;
pub mod test_release;
pub mod walk;
