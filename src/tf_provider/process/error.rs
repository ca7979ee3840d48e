//! Why the process could not start to serve, told apart by what to do about it.

use std::io;
use std::path::PathBuf;

use super::handshake;

/// Why the process could not start to serve.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "This is a Terraform provider. Terraform and OpenTofu start it themselves; by hand it does nothing.\n\
         Name it under required_providers in a configuration and run `terraform init`.\n\
         To attach Terraform to a process of your own, for debugging, start it with -debug."
    )]
    NotStartedByAHost,
    #[error(
        "no common protocol version: the caller offers {offered:?} in PLUGIN_PROTOCOL_VERSIONS and this provider speaks \
         version {}. Use Terraform 1.0 or later, or OpenTofu",
        handshake::PROTOCOL
    )]
    NoCommonProtocol { offered: String },
    #[error(
        "the plugin socket cannot be created at {path}: {cause}. Point TMPDIR (or PLUGIN_UNIX_SOCKET_DIR, if the \
         caller sets it) to an existing directory in which this user may create files"
    )]
    Socket { path: PathBuf, cause: io::Error },
    #[error(
        "no usable path for the plugin socket: {path} is longer than {longest} bytes, is not UTF-8, or holds `|` or a \
         line break. Point PLUGIN_UNIX_SOCKET_DIR to a directory with a shorter, plainer name"
    )]
    SocketPath { path: PathBuf, longest: usize },
    #[error("the system gave no random numbers for the name of the plugin socket: {cause}")]
    Random { cause: getrandom::Error },
    #[error(
        "PLUGIN_CLIENT_CERT does not hold one PEM certificate: {cause}. Terraform sets it for each start: remove it from \
         your own environment"
    )]
    ClientCertificate { cause: String },
    #[error("the certificate for this process could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("the key for this process could not be used: {cause}")]
    Key { cause: &'static str },
    #[error("TLS could not be set up: {0}")]
    Tls(#[from] rustls::Error),
    #[error("the address could not be written to stdout, where the caller waits for it: {0}")]
    Announcement(io::Error),
    #[error("the process could not be set up: {0}")]
    Runtime(io::Error),
    #[error(
        "serving ended with an error: {0}. Run the command again; if it happens again, report it as a bug"
    )]
    Serving(#[from] tonic::transport::Error),
}
