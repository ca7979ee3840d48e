//! terraform-provider-dynamo: NVIDIA Dynamo on plain GPU hosts, declared.
//!
//! The map, and what may name what (held by `architecture`):
//!
//! | module | is | may import |
//! | --- | --- | --- |
//! | [`plain_text`](mod@plain_text) | words of others, fit for a terminal | – |
//! | [`tf_provider`] | Terraform's plugin protocol: wire, values, schema, traits | plain_text |
//! | [`inventory`] | what a machine has | – |
//! | [`container`] | what a container should be, and what one is | – |
//! | [`dynamo`] | the domain, pure: spec + release facts → blueprint | inventory, container |
//! | [`reconcile`] | desired against actual: diff and order pure, execute thin | container, inventory (execute: hosts) |
//! | [`hosts`] | the only module that talks | inventory, container, plain_text |
//! | [`provider`] | the skin: schema and model of every noun, plan and apply | all of the above |
//! | [`docs`] | schema → Markdown | tf_provider, provider |
//!
//! Data flows one way: HCL → `provider/<noun>/model` → `dynamo::Spec` → `Blueprint` → `reconcile::diff` → steps → `hosts`.

#![deny(unreachable_pub)]

#[cfg(test)]
mod architecture;
pub mod container;
pub mod docs;
pub(crate) mod dynamo;
pub(crate) mod hosts;
pub(crate) mod inventory;
pub mod plain_text;
pub mod provider;
pub(crate) mod reconcile;
pub mod tf_provider;
