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

use super::diagnostics::{Diagnostic, Diagnostics};
use super::provider::{Call, Provider, Registry};
use convert::Answer;
use futures_util::FutureExt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// A provider being served.
pub struct Server<P: Provider> {
    provider: P,
    registry: Registry<P::Client>,
    /// What the last ConfigureProvider made. In debug mode one process sees several, and the last one counts.
    session: RwLock<Session<P::Client>>,
}

/// From one ConfigureProvider to the next.
struct Session<C> {
    client: Option<Arc<C>>,
    stopping: CancellationToken,
}

impl<P: Provider> Server<P> {
    pub fn new(provider: P) -> Self {
        let registry = Registry::of(&provider);
        let session = RwLock::new(Session { client: None, stopping: CancellationToken::new() });
        Self { provider, registry, session }
    }

    pub fn provider(&self) -> &P {
        &self.provider
    }

    pub fn registry(&self) -> &Registry<P::Client> {
        &self.registry
    }

    /// Ends waits of calls in flight; they answer with the state they have reached.
    pub fn stop(&self) {
        self.session.read().unwrap_or_else(PoisonError::into_inner).stopping.cancel();
    }

    /// Stops, and lets the provider close its connections.
    pub async fn close(&self) {
        self.stop();
        let client = self.session.read().unwrap_or_else(PoisonError::into_inner).client.clone();
        if let Some(client) = client {
            self.provider.close(&client).await;
        }
    }

    /// A second configuration replaces the first. Calls in flight keep what they began with.
    fn begin_session(&self, client: P::Client) {
        let session = Session { client: Some(Arc::new(client)), stopping: CancellationToken::new() };
        *self.session.write().unwrap_or_else(PoisonError::into_inner) = session;
    }

    fn call(&self) -> Result<Call<P::Client>, Diagnostics> {
        let session = self.session.read().unwrap_or_else(PoisonError::into_inner);
        match &session.client {
            Some(client) => Ok(Call { client: Arc::clone(client), stopping: session.stopping.clone() }),
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
