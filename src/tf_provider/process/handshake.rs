//! How a plugin and its host find each other: what the host put into our environment, and the one line we answer.
//!
//! Everything here is a decision over strings, without a socket or a file, since a mistake in this line is the worst kind:
//! the user reads "Unrecognized remote plugin message" and nothing about the cause. Three details have bitten others:
//! the certificate is base64 *without* padding, the line must be the first thing ever written to stdout, and a path that
//! holds a `|` would be read as two fields.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::error::StartError;

/// The major version of Terraform's provider protocol that we speak.
pub(super) const PROTOCOL: u32 = 6;

const COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");

/// What the host says through environment variables. An empty variable counts as one that is not set, as in go-plugin.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment {
    pub cookie: Option<String>,
    /// Comma list of the protocol's major versions that the host speaks.
    pub protocol_versions: Option<String>,
    /// PEM text of the only client certificate to let in. Without it the connection is plain.
    pub client_certificate: Option<String>,
    /// Where the host wants the socket.
    pub socket_directory: Option<PathBuf>,
    /// The host asks whether one connection can carry several brokered services.
    pub multiplex: bool,
    /// The system's directory for temporary files.
    pub temporary: PathBuf,
}

impl Environment {
    /// Reads the variables of this process.
    pub(super) fn of_process() -> Self {
        Self::from(|name| std::env::var_os(name), std::env::temp_dir())
    }

    fn from(variable: impl Fn(&str) -> Option<OsString>, temporary: PathBuf) -> Self {
        let raw = |name: &str| variable(name).filter(|value| !value.is_empty());
        let text = |name: &str| raw(name).map(|value| value.to_string_lossy().into_owned());
        Self {
            cookie: text(COOKIE.0),
            protocol_versions: text("PLUGIN_PROTOCOL_VERSIONS"),
            client_certificate: text("PLUGIN_CLIENT_CERT"),
            socket_directory: raw("PLUGIN_UNIX_SOCKET_DIR").map(PathBuf::from),
            multiplex: raw("PLUGIN_MULTIPLEX_GRPC").is_some(),
            temporary,
        }
    }

    /// The cookie is no secret. It tells a host from a person who started the binary out of curiosity.
    pub(super) fn check_cookie(&self) -> Result<(), StartError> {
        if self.cookie.as_deref() == Some(COOKIE.1) { Ok(()) } else { Err(StartError::NotStartedByAHost) }
    }

    /// A host that offers nothing is an old one, and gets the only version there is. What is not a number is skipped.
    pub(super) fn check_protocol(&self) -> Result<(), StartError> {
        let Some(offered) = &self.protocol_versions else { return Ok(()) };
        if offered.split(',').any(|version| version.trim().parse() == Ok(PROTOCOL)) {
            return Ok(());
        }
        Err(StartError::NoCommonProtocol { offered: offered.clone() })
    }
}

/// The line that tells the host where and how to connect. It ends in a newline.
pub(super) fn line(socket: &Path, certificate: Option<&[u8]>, multiplex: bool) -> String {
    let certificate = certificate.map(|der| STANDARD_NO_PAD.encode(der)).unwrap_or_default();
    let mut line = format!("1|{PROTOCOL}|unix|{}|grpc|{certificate}", socket.display());
    if multiplex {
        // Asked, we answer: no. Hosts that do not ask count the fields and must not see a seventh.
        line.push_str("|false");
    }
    line.push('\n');
    line
}

/// Whether a socket path survives the handshake line: text, without the characters that part fields and lines.
pub(super) fn can_be_told(socket: &Path) -> bool {
    socket.to_str().is_some_and(|text| !text.contains(['|', '\n', '\r']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        Environment::from(find, "/tmp".into())
    }

    #[test]
    fn only_the_exact_cookie_opens() {
        for (cookie, opens) in [(COOKIE.1, true), ("", false), ("d602", false), ("D602", false)] {
            assert_eq!(environment(&[(COOKIE.0, cookie)]).check_cookie().is_ok(), opens, "{cookie}");
        }
        assert!(environment(&[]).check_cookie().is_err());
    }

    #[test]
    fn protocol_six_is_found_among_those_offered() {
        let cases = [
            ("5,6", true),
            ("6", true),
            ("6,7", true),
            (" 6 ", true),
            ("x,6", true),
            ("", true),
            ("5", false),
        ];
        for (offered, common) in cases.into_iter().chain([("16", false), ("66,5", false), ("six", false)]) {
            let environment = environment(&[("PLUGIN_PROTOCOL_VERSIONS", offered)]);
            assert_eq!(environment.check_protocol().is_ok(), common, "{offered:?}");
        }
        let refusal = environment(&[("PLUGIN_PROTOCOL_VERSIONS", "4,5")]).check_protocol().unwrap_err();
        assert!(refusal.to_string().contains("4,5"), "{refusal}");
    }

    #[test]
    fn empty_variables_are_unset() {
        let environment = environment(&[("PLUGIN_CLIENT_CERT", ""), ("PLUGIN_UNIX_SOCKET_DIR", "")]);
        assert_eq!((environment.client_certificate, environment.socket_directory), (None, None));
    }

    #[test]
    fn the_line_in_each_form() {
        let socket = Path::new("/tmp/p/s");
        assert_eq!(line(socket, None, false), "1|6|unix|/tmp/p/s|grpc|\n");
        assert_eq!(line(socket, None, true), "1|6|unix|/tmp/p/s|grpc||false\n");
        // One, two and three bytes: padding would show in the first two.
        for (der, text) in [(&b"\xff"[..], "/w"), (b"\xff\xff", "//8"), (b"\xff\xff\xff", "////")] {
            assert_eq!(line(socket, Some(der), false), format!("1|6|unix|/tmp/p/s|grpc|{text}\n"));
        }
    }

    #[test]
    fn paths_that_would_break_the_line() {
        for (path, fine) in [("/tmp/a b/s", true), ("/tmp/a|b/s", false), ("/tmp/a\nb", false)] {
            assert_eq!(can_be_told(Path::new(path)), fine, "{path:?}");
        }
    }
}
