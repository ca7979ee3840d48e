//! Terraform's plugin protocol 6, and not one word about Docker or Dynamo.
//!
//! Our own layer rather than the `tf-provider` crate: there, nested attributes make Terraform refuse the schema, the
//! client certificate is optional (any local process could drive a provider that holds SSH keys), numbers are 64-bit
//! integers, StopProvider kills work in flight, Ctrl-C loses state, and write-only, ephemeral and identity are missing.
//!
//! A provider author meets [`provider`] (the traits), [`mod@model`] (one declaration per attribute), [`attr`], [`schema`]
//! and [`diagnostics`]. [`value`], [`validate`] and [`planning`] are the machinery, pure; [`server`] answers RPCs;
//! [`process`] is the life of the plugin process.

pub mod attr;
pub mod diagnostics;
pub mod erased;
pub mod model;
pub mod planning;
pub mod process;
pub mod provider;
pub mod schema;
pub mod server;
pub mod validate;
pub mod value;
pub mod wire;
