//! The provider service: decode, look up, call, encode — one file for each group of RPCs.
//!
//! A failure of the domain is always a diagnostic in a normal answer, never a gRPC status: on a status Terraform saves
//! nothing, and an object that exists would be forgotten. A panic in one call becomes a diagnostic of that call; the
//! others go on.

mod convert;
mod data_source;
mod ephemeral;
mod function;
mod metadata;
mod resource;
mod service;

use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::process::Lifetime;
use crate::tf_provider::provider::{Call, Provider, Registry};
use convert::Answer;
use futures_util::FutureExt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

/// A provider being served.
pub struct Server<P: Provider> {
    provider: Arc<P>,
    registry: Registry<P::Client>,
    /// What the last ConfigureProvider made. In debug mode one process sees several, and the last one counts; calls in
    /// flight keep what they began with.
    client: RwLock<Option<Arc<P::Client>>>,
    lifetime: Lifetime,
}

impl<P: Provider> Server<P> {
    /// A server of `provider`, for the life of the process.
    pub fn new(provider: P, lifetime: Lifetime) -> Self {
        let registry = Registry::of(&provider);
        Self { provider: Arc::new(provider), registry, client: RwLock::new(None), lifetime }
    }

    fn provider(&self) -> &P {
        &self.provider
    }

    fn registry(&self) -> &Registry<P::Client> {
        &self.registry
    }

    /// A second configuration replaces the first. What the client has open is closed when the process ends.
    fn begin_session(&self, client: P::Client) {
        let client = Arc::new(client);
        let (provider, closed) = (Arc::clone(&self.provider), Arc::clone(&client));
        self.lifetime.on_close(async move { provider.close(&closed).await });
        self.lifetime.begin_session();
        *self.client.write().unwrap_or_else(PoisonError::into_inner) = Some(client);
    }

    fn call(&self) -> Result<Call<P::Client>, Diagnostics> {
        match self.client.read().unwrap_or_else(PoisonError::into_inner).as_ref() {
            Some(client) => {
                Ok(Call { client: Arc::clone(client), stopping: self.lifetime.stopping(), predecessor: None })
            }
            None => {
                let detail = "Terraform asked for something that needs the provider's configuration before sending it.";
                Err(Diagnostic::error("The provider is not configured", detail).into())
            }
        }
    }
}

/// Runs one RPC: its log lines, its panics, and its diagnostics become part of the answer.
async fn rpc<A: Answer>(
    name: &'static str,
    subject: &str,
    work: impl Future<Output = Result<A, Diagnostics>>,
) -> A {
    let begun = Instant::now();
    tracing::trace!(tf_rpc = name, tf_type = subject, "received request");
    let answer = match AssertUnwindSafe(work).catch_unwind().await {
        Ok(Ok(answer)) => answer,
        Ok(Err(diagnostics)) => A::failed(diagnostics),
        Err(_) => A::failed(panicked(name, subject).into()),
    };
    let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(tf_rpc = name, tf_type = subject, tf_req_duration_ms = milliseconds, "served request");
    answer
}

fn panicked(name: &str, subject: &str) -> Diagnostic {
    let on = if subject.is_empty() { String::new() } else { format!(" for {subject}") };
    let detail = format!(
        "The provider ran into a programming error while answering {name}{on}. The log (TF_LOG=error) has the details; \
         please report them. Other resources are not affected."
    );
    Diagnostic::error("The provider failed unexpectedly", detail)
}

fn unknown_type(what: &str, name: &str) -> Diagnostics {
    let detail = format!("This version of the provider has no {what} named {name:?}.");
    Diagnostic::error(format!("Unknown {what}"), detail).into()
}

#[cfg(test)]
mod tests;
