//! Terraform's plugin protocol 6, and not one word about Docker or Dynamo.
pub mod process;
pub mod value;
pub mod wire;
