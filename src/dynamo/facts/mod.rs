//! What is known of Dynamo before anybody asks a host: records of releases and engines, and the parts that they are made of.
//!
//! Begin at [`release::v1_6`], the newest line of releases, and [`engine::vllm`], the richest engine. A release lists its
//! engines, the modes of its router ([`router`]) and, for each kind of network, how its processes meet ([`topology`]). An
//! engine lists what works with KV caches ([`connector`]): the caches ([`cache`]) and the servers that keep them
//! ([`cache_server`]). Everything is constant, and what varies between releases is a row and not a branch.

pub(crate) mod cache;
pub(crate) mod cache_server;
pub(crate) mod connector;
pub(crate) mod engine;
pub(crate) mod release;
pub(crate) mod router;
pub(crate) mod topology;
