//! Failures on a host as diagnostics: the summary says what we were about, the error what, where, why and what to do, and
//! the path points at the attribute that the user would change.

use crate::hosts::{Cause, HostError};
use crate::reconcile::{Failure, ReconcileError};
use crate::tf_provider::diagnostics::Diagnostic;
use crate::tf_provider::value::Path;

/// `model` is the folder that the model is mounted from, if it is one.
pub(crate) fn diagnostic(summary: impl Into<String>, error: &HostError, model: Option<&str>) -> Diagnostic {
    let diagnostic = Diagnostic::from_error(summary, error);
    match attribute(&error.cause, model) {
        Some(path) => diagnostic.at(path),
        None => diagnostic,
    }
}

/// The error of an operation that was begun, as [`diagnostic`], with what became of it.
pub(crate) fn not_done(
    summary: impl Into<String>,
    failed: &ReconcileError,
    model: Option<&str>,
) -> Diagnostic {
    let diagnostic = Diagnostic::from_error(summary, failed);
    let path = match failed.failure.as_ref() {
        Failure::Host(error) => attribute(&error.cause, model),
        Failure::NameTaken { .. } => Some(Path::of("name")),
        Failure::Busy { .. }
        | Failure::Died { .. }
        | Failure::NotReady { .. }
        | Failure::Cancelled { .. } => None,
    };
    match path {
        Some(path) => diagnostic.at(path),
        None => diagnostic,
    }
}

fn attribute(cause: &Cause, model: Option<&str>) -> Option<Path> {
    match cause {
        Cause::SocketMissing { .. }
        | Cause::NothingListening { .. }
        | Cause::PermissionDenied { .. }
        | Cause::BadAddress { .. }
        | Cause::TlsUnsupported { .. }
        | Cause::EngineSilent { .. }
        | Cause::ApiVersion { .. }
        | Cause::Ssh(_) => Some(Path::of("host")),
        Cause::ImageMissing { .. }
        | Cause::RegistryNotFound { .. }
        | Cause::RegistryDenied { .. }
        | Cause::RegistryUnreachable { .. }
        | Cause::RegistryRateLimit { .. }
        | Cause::RegistryOdd { .. }
        | Cause::PullStalled { .. } => Some(Path::of("image")),
        Cause::PortTaken { .. } => Some(Path::of("port")),
        Cause::NameTaken { .. } | Cause::NotOurs { .. } => Some(Path::of("name")),
        Cause::MountSourceMissing { path } if model == Some(path.as_str()) => Some(Path::of("model")),
        Cause::MountSourceMissing { .. } => Some(Path::of("docker").attribute("volume")),
        Cause::NoSuchFolder { .. } | Cause::NotAFolder { .. } | Cause::FolderClosed { .. } => {
            Some(Path::of("path"))
        }
        Cause::Files(_) => None,
        Cause::FilesUnseen
        | Cause::Script { .. }
        | Cause::OddListing { .. }
        | Cause::AnswerTooLong { .. } => Some(Path::of("host")),
        Cause::Connection { .. }
        | Cause::NoAnswer { .. }
        | Cause::NotFound { .. }
        | Cause::NoGpuRuntime { .. }
        | Cause::NoSpace { .. }
        | Cause::DoesNotStop { .. }
        | Cause::NetworkInUse { .. }
        | Cause::VolumeInUse { .. }
        | Cause::DriverHangs { .. }
        | Cause::Engine { .. } => None,
    }
}
