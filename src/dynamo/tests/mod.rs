//! What the whole domain is tested by: golden blueprints, every combination that the tables allow, and properties.

pub(super) mod combinations;
mod every_combination;
pub(super) mod golden;
mod properties;
pub(super) mod render;
pub(super) mod test_release;
pub(super) mod walk;
