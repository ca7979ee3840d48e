//! Whether a server is the one that it should be. Pure: the key it shows, the lines that are trusted, the time.
//!
//! The rules are those of OpenSSH's known_hosts: several keys per host, patterns with `*`, `?` and `!`, names that are
//! hashed, `[host]:port` for other ports than 22 (a host of which nothing is known at its port may be known without one),
//! `@revoked` before all else (and before that the keys of `RevokedHostKeys`), and `@cert-authority` for hosts that show a certificate. In two things this is stricter: a certificate has to name the host, and a line that cannot be read is
//! passed over instead of trusted in part.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::ssh_key::{Algorithm, Certificate, HashAlg, PublicKey};

use super::config_file::matches_any;

/// The known host keys: what a server has to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KnownHosts {
    /// One of these keys.
    Pinned(Vec<KeyData>),
    /// A key or certificate that these lines of known_hosts have for it.
    Lines(Vec<Line>),
    /// Any key: nothing is checked.
    AnyKey,
}

/// A line of known_hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    marker: Marker,
    hosts: Hosts,
    key: KeyData,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marker {
    None,
    Authority,
    Revoked,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    Patterns(Vec<String>),
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

/// Keys that no server may have, whoever else trusts them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct RevokedKeys(Vec<KeyData>);

/// How a list of revoked keys begins that is not text.
const KRL: &[u8] = b"SSHKRL\n";

impl RevokedKeys {
    /// Lines of `type base64`. As ssh, this passes over what is no key; the error is why none of it can be known.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.starts_with(KRL) {
            return Err(
                "it is a binary list (KRL), and only text with a public key on each line is understood"
                    .to_owned(),
            );
        }
        let text = String::from_utf8_lossy(bytes);
        Ok(Self(text.lines().filter_map(|line| key_of(line.trim())).collect()))
    }

    /// Whether what is shown is vouched for by one of them.
    pub(super) fn include(&self, shown: OfferedKey<'_>) -> bool {
        shown.keys().into_iter().any(|key| self.0.contains(key))
    }
}

/// The server's key or certificate.
#[derive(Clone, Copy, Debug)]
pub(super) enum OfferedKey<'a> {
    Key(&'a KeyData),
    Certificate(&'a Certificate),
}

/// The judgment on a server's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Trusted,
    Unknown,
    /// Fingerprints of the keys that would have been right.
    Mismatch(Vec<String>),
    Revoked,
    BadCertificate(String),
}

/// `SHA256:…`, as ssh shows it.
pub(super) fn fingerprint(key: &KeyData) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

impl KnownHosts {
    /// Pinned keys: one or several lines of `type base64`, with or without a comment. The error is a line that is none.
    pub(super) fn pinned(text: &str) -> Result<Self, String> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Result<Vec<KeyData>, String> =
            lines.map(|line| key_of(line).ok_or_else(|| line.to_owned())).collect();
        match keys {
            Ok(keys) if keys.is_empty() => Err(text.to_owned()),
            keys => keys.map(Self::Pinned),
        }
    }

    /// Keys in the text of known_hosts files. Lines that cannot be read are passed over.
    pub(super) fn parse(text: &str) -> Self {
        Self::Lines(text.lines().filter_map(Line::parse).collect())
    }

    /// What becomes of a server at `host` and `port` that shows this; `now` in seconds since 1970.
    pub(super) fn judge(&self, host: &str, port: u16, shown: OfferedKey<'_>, now: u64) -> Verdict {
        match (self, shown) {
            (Self::AnyKey, _) => Verdict::Trusted,
            (Self::Pinned(keys), shown) => among(keys.iter(), shown.key()),
            (Self::Lines(lines), shown) => {
                let [name, plain] = lookup_names(host, port);
                match judged(lines, &name, host, shown, now) {
                    Verdict::Unknown => match judged(lines, &plain, host, shown, now) {
                        Verdict::Mismatch(_) => Verdict::Unknown,
                        verdict => verdict,
                    },
                    verdict => verdict,
                }
            }
        }
    }

    /// The kinds of keys that are known of the server: it is asked for these first, since it may have others too.
    pub(super) fn algorithms(&self, host: &str, port: u16) -> Vec<Algorithm> {
        match self {
            Self::AnyKey => Vec::new(),
            Self::Pinned(keys) => keys.iter().map(KeyData::algorithm).collect(),
            Self::Lines(lines) => {
                let of = |name: &str| -> Vec<Algorithm> {
                    let known = lines.iter().filter(|it| it.marker == Marker::None && it.hosts.take(name));
                    known.map(|line| line.key.algorithm()).collect()
                };
                let found = lookup_names(host, port).map(|name| of(&name));
                found.into_iter().find(|algorithms| !algorithms.is_empty()).unwrap_or_default()
            }
        }
    }

    /// Whether certificates of this server could be judged.
    pub(super) fn has_authority(&self, host: &str, port: u16) -> bool {
        let Self::Lines(lines) = self else { return false };
        let names = lookup_names(host, port);
        let is_for = |line: &Line| names.iter().any(|name| line.hosts.take(name));
        lines.iter().any(|line| line.marker == Marker::Authority && is_for(line))
    }
}

impl OfferedKey<'_> {
    pub(super) fn key(&self) -> &KeyData {
        match self {
            Self::Key(key) => key,
            Self::Certificate(certificate) => certificate.public_key(),
        }
    }

    /// All keys that vouch.
    fn keys(&self) -> Vec<&KeyData> {
        match self {
            Self::Key(key) => vec![key],
            Self::Certificate(certificate) => vec![certificate.public_key(), certificate.signature_key()],
        }
    }
}

fn among<'a>(known: impl Iterator<Item = &'a KeyData>, shown: &KeyData) -> Verdict {
    let known: Vec<&KeyData> = known.collect();
    if known.contains(&shown) {
        Verdict::Trusted
    } else if known.is_empty() {
        Verdict::Unknown
    } else {
        Verdict::Mismatch(known.into_iter().map(fingerprint).collect())
    }
}

/// A certificate of a trusted authority.
fn certificate_holds(certificate: &Certificate, host: &str, now: u64) -> Verdict {
    let bad = |text: &str| Verdict::BadCertificate(text.to_owned());
    let authority = certificate.signature_key().fingerprint(HashAlg::Sha256);
    if certificate.cert_type() != CertType::Host {
        bad("it is a user's certificate")
    } else if !certificate.valid_principals().iter().any(|name| name.eq_ignore_ascii_case(host)) {
        bad(&format!("it is not for {host}, but for {:?}", certificate.valid_principals()))
    } else if certificate.critical_options().iter().next().is_some() {
        bad("it has conditions that are not understood")
    } else if now < certificate.valid_after() || now >= certificate.valid_before() {
        bad("it is not valid at this time")
    } else if certificate.validate_at(now, [&authority]).is_err() {
        bad("its signature is wrong")
    } else {
        Verdict::Trusted
    }
}

/// `host`, before it `[host]:port` where the port is not SSH's own.
fn lookup_names(host: &str, port: u16) -> [String; 2] {
    let host = host.to_lowercase();
    [if port == 22 { host.clone() } else { format!("[{host}]:{port}") }, host]
}

/// What the lines for that one name say.
fn judged(lines: &[Line], name: &str, host: &str, shown: OfferedKey<'_>, now: u64) -> Verdict {
    let of = |marker: Marker| {
        let lines = lines.iter().filter(move |line| line.marker == marker);
        lines.filter(|line| line.hosts.take(name)).map(|line| &line.key)
    };
    if of(Marker::Revoked).any(|key| shown.keys().contains(&key)) {
        return Verdict::Revoked;
    }
    match shown {
        OfferedKey::Certificate(certificate)
            if of(Marker::Authority).any(|key| key == certificate.signature_key()) =>
        {
            certificate_holds(certificate, host, now)
        }
        shown => among(of(Marker::None), shown.key()),
    }
}

/// The key of `type base64 comment`.
fn key_of(text: &str) -> Option<KeyData> {
    let mut words = text.split_whitespace();
    let (kind, blob) = (words.next()?, words.next()?);
    PublicKey::from_openssh(&format!("{kind} {blob}")).ok().map(|key| key.key_data().clone())
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        let (marker, line) = match line.split_once(char::is_whitespace)? {
            (comment, _) if comment.starts_with('#') => return None,
            ("@cert-authority", rest) => (Marker::Authority, rest.trim_start()),
            ("@revoked", rest) => (Marker::Revoked, rest.trim_start()),
            (unknown, _) if unknown.starts_with('@') => return None,
            _ => (Marker::None, line),
        };
        let (hosts, key) = line.split_once(char::is_whitespace)?;
        Some(Self { marker, hosts: Hosts::parse(hosts)?, key: key_of(key)? })
    }
}

impl Hosts {
    fn parse(text: &str) -> Option<Self> {
        let Some(hashed) = text.strip_prefix("|1|") else {
            return Some(Self::Patterns(text.split(',').map(str::to_owned).collect()));
        };
        let (salt, hash) = hashed.split_once('|')?;
        Some(Self::Hashed { salt: BASE64.decode(salt).ok()?, hash: BASE64.decode(hash).ok()? })
    }

    fn take(&self, name: &str) -> bool {
        match self {
            Self::Patterns(patterns) => matches_any(patterns, name),
            Self::Hashed { salt, hash } => {
                let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
                hmac::verify(&key, name.as_bytes(), hash).is_ok()
            }
        }
    }
}
