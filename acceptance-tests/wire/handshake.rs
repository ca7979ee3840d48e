//! Starting, being found, and who may connect. Rules 1 to 12.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::harness::{Provider, Setup};
use super::peer::{Identity, Peer};
use super::{client::Client, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("handshake_01_without_the_cookie_it_explains_itself_to_a_person", without_the_cookie),
        trial("handshake_02_first_line_has_six_fields_and_nothing_follows", one_line),
        trial("handshake_02_a_host_that_asks_for_multiplexing_gets_a_seventh_field", multiplexing),
        trial("handshake_03_the_certificate_is_unpadded_in_200_starts", two_hundred_starts),
        trial("handshake_04_the_protocol_version_is_negotiated", protocol_versions),
        trial("handshake_05_the_socket_is_private_and_accepts_before_the_line_is_read", socket),
        trial("handshake_05_socket_directories", socket_directories),
        trial("handshake_06_the_right_certificate_connects_over_h2", right_certificate),
        trial("handshake_07_no_certificate_or_another_is_refused", wrong_certificates),
        trial("handshake_08_plain_text_only_where_no_certificate_was_given", plain_text),
        trial("handshake_09_a_silent_peer_does_not_block_the_next", silent_peers),
        trial("handshake_10_a_malformed_client_certificate_ends_the_start", malformed_certificate),
        trial("handshake_12_time_to_the_line_and_memory_at_rest", measurements),
    ]
}

async fn without_the_cookie() {
    let wrong = Setup::bare().with("TF_PLUGIN_MAGIC_COOKIE", "please");
    for setup in [Setup::bare(), wrong] {
        let finished = setup.spawn().finish();
        assert_eq!(finished.status.code(), Some(1));
        assert_eq!(finished.stdout, "");
        assert!(finished.stderr.contains("This is a Terraform provider"), "{}", finished.stderr);
        assert_eq!(finished.left, Vec::<PathBuf>::new());
    }
}

async fn one_line() {
    let provider = Provider::start();
    let fields = &provider.handshake.fields;
    assert_eq!(fields.len(), 6, "{fields:?}");
    assert_eq!([&fields[0], &fields[1], &fields[2], &fields[4]], ["1", "6", "unix", "grpc"]);
    assert!(fields[3].starts_with('/') && fields[5].len() > 50, "{fields:?}");
    let line = fields.join("|") + "\n";
    provider.client().await.get_schema().await.unwrap();
    assert_eq!(provider.shut_down().await.stdout, line);
}

async fn multiplexing() {
    let provider = Setup::terraform().with("PLUGIN_MULTIPLEX_GRPC", "true").start();
    assert_eq!(provider.handshake.fields.get(6).map(String::as_str), Some("false"));
}

async fn two_hundred_starts() {
    let mut certificates = BTreeSet::new();
    for _ in 0..200 {
        // Parsing fails where field 6 is padded or not base64.
        let provider = Provider::start();
        assert!(!provider.handshake.fields[5].contains('='));
        certificates.insert(provider.handshake.certificate.clone().unwrap());
    }
    assert_eq!(certificates.len(), 200, "each start has its own certificate");
}

async fn protocol_versions() {
    for offered in ["6", "5,6", "6,5", "6,7"] {
        let provider = Setup::terraform().with("PLUGIN_PROTOCOL_VERSIONS", offered).start();
        assert_eq!(provider.handshake.fields[1], "6", "{offered}");
    }
    let finished = Setup::terraform().with("PLUGIN_PROTOCOL_VERSIONS", "5").spawn().finish();
    assert_eq!((finished.status.code(), finished.stdout.as_str()), (Some(1), ""));
    assert!(finished.stderr.contains("no common protocol version"), "{}", finished.stderr);
}

async fn socket() {
    let provider = Provider::start();
    let path = provider.handshake.socket.clone();
    provider.peer().raw().await.unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    let finished = provider.shut_down().await;
    assert_eq!(finished.left, Vec::<PathBuf>::new());
}

async fn socket_directories() {
    let wanted = tempfile::tempdir().unwrap();
    let provider = Setup::terraform().with("PLUGIN_UNIX_SOCKET_DIR", wanted.path().to_str().unwrap()).start();
    assert_eq!(provider.handshake.socket.parent(), Some(wanted.path()));
    provider.shut_down().await;
    assert_eq!(wanted.path().read_dir().unwrap().count(), 0);

    let finished = Setup::terraform().with("PLUGIN_UNIX_SOCKET_DIR", "/nowhere/at/all").spawn().finish();
    assert_eq!((finished.status.code(), finished.stdout.as_str()), (Some(1), ""));
    assert!(finished.stderr.contains("/nowhere/at/all"), "{}", finished.stderr);
}

async fn right_certificate() {
    let provider = Provider::start();
    // The peer trusts field 6 alone, for the name localhost.
    let stream = provider.peer().handshake().await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    provider.client().await.get_schema().await.unwrap();
}

async fn wrong_certificates() {
    let setup = Setup::terraform();
    let right = setup.client.clone().unwrap();
    let provider = setup.start();
    let server = provider.handshake.certificate.clone().unwrap();
    let intruders = [
        ("no certificate", None),
        ("another certificate", Some(Identity::new())),
        ("the right certificate without its key", Some(right.with_key_of(&Identity::new()))),
    ];
    for (who, client) in intruders {
        let peer = Peer::encrypted(&provider.handshake.socket, server.clone(), client);
        let answer =
            async { Client::new(peer.channel().await?).get_schema().await.map_err(anyhow::Error::from) };
        assert!(answer.await.is_err(), "{who} was let in");
    }
    provider.client().await.get_schema().await.unwrap();
}

async fn plain_text() {
    let guarded = Provider::start();
    let peer = Peer::plain(&guarded.handshake.socket);
    let answer = async { Client::new(peer.channel().await?).get_schema().await.map_err(anyhow::Error::from) };
    assert!(answer.await.is_err(), "plain text was let in");
    guarded.client().await.get_schema().await.unwrap();

    let open = Setup::terraform().without_certificate().start();
    assert_eq!(open.handshake.fields[5], "");
    open.client().await.get_schema().await.unwrap();
}

async fn silent_peers() {
    let provider = Provider::start();
    let mut peers = Vec::new();
    for _ in 0..20 {
        peers.push(provider.peer().raw().await.unwrap());
    }
    // One of them talks nonsense, one stops in the middle of a TLS record.
    peers[0].write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    peers[1].write_all(&[0x16, 0x03, 0x01, 0x02]).await.unwrap();
    provider.client().await.get_schema().await.unwrap();
    // The nonsense is hung up on.
    let mut answer = Vec::new();
    let _ = peers[0].read_to_end(&mut answer).await;
    provider.client().await.get_schema().await.unwrap();
}

async fn malformed_certificate() {
    for certificate in ["nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n"] {
        let finished =
            Setup::terraform().without_certificate().with("PLUGIN_CLIENT_CERT", certificate).spawn().finish();
        assert_eq!((finished.status.code(), finished.stdout.as_str()), (Some(1), ""));
        assert!(finished.stderr.contains("PLUGIN_CLIENT_CERT"), "{}", finished.stderr);
    }
}

async fn measurements() {
    let mut times = Vec::new();
    let mut memory = String::new();
    for _ in 0..10 {
        let start = Instant::now();
        let provider = Provider::start();
        times.push(start.elapsed());
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", provider.process.id())).unwrap_or_default();
        memory = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .unwrap_or("VmRSS: not known here")
            .to_owned();
    }
    times.sort();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    eprintln!(
        "handshake line after {:.0} ms (fastest of {}), {:.0} ms (slowest); at rest {}",
        milliseconds(times[0]),
        times.len(),
        milliseconds(times[times.len() - 1]),
        memory.split_whitespace().collect::<Vec<_>>().join(" "),
    );
}
