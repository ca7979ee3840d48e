//! Hosts over SSH against a server in this process.

mod server;

use std::sync::atomic::Ordering;

use futures_util::future::join_all;
use getrandom::SysRng;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::certificate::{Builder, CertType};
use russh::keys::ssh_key::rand_core::UnwrapErr;
use russh::keys::{Algorithm, Certificate, EcdsaCurve, HashAlg, PrivateKey, PublicKey};

use crate::hosts::ssh::*;
use server::{Counts, Rules, Server, key, serve, serve_with};

fn text_of(key: &PrivateKey) -> KeySource {
    KeySource::Text(Secret::new(key.to_openssh(LineEnding::LF).unwrap().as_str()))
}

/// Reaches `server`, knowing its key.
fn settings(server: &Server, login: Login) -> Settings {
    Settings {
        target: SshServer {
            address: "127.0.0.1".into(),
            port: Some(server.port),
            user: Some("ops".into()),
            login,
            host_keys: HostKeys::Pinned(server.host_key.to_openssh().unwrap()),
        },
        docker_host: Some(format!("unix://{}", server.socket.display())),
        ..Settings::default()
    }
}

fn with_password() -> Login {
    Login { password: Some(Secret::new("canary")), ..Login::default() }
}

fn transport(settings: Settings) -> SshTransport {
    SshTransport::new(settings, ProcessEnvironment::default())
}

/// A server with a password and these rules, and a way to it.
async fn open(rules: Rules) -> (Server, SshTransport) {
    let server = serve(Rules { password: Some("canary"), ..rules }).await;
    let transport = transport(settings(&server, with_password()));
    (server, transport)
}

/// Asks the Engine for `path` and returns its answer.
async fn ask(transport: &SshTransport, path: &str) -> Result<String, Cause> {
    let mut stream = transport.engine().await?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: d\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    Ok(answer.rsplit("\r\n").next().unwrap_or_default().to_owned())
}

fn ssh_error(cause: Cause) -> SshError {
    match cause {
        Cause::Ssh(error) => *error,
        other => panic!("{other:?}"),
    }
}

fn commands(counts: &Counts) -> Vec<String> {
    counts.commands.lock().unwrap().clone()
}

#[tokio::test]
async fn every_kind_of_key_logs_in() {
    let algorithms = [
        Algorithm::Ed25519,
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
    ];
    let rsa = PrivateKey::from_openssh(include_str!("testdata/rsa")).unwrap();
    for key in algorithms.into_iter().map(key).chain([rsa]) {
        let server = serve(Rules { key: Some(key.public_key().clone()), ..Rules::default() }).await;
        let transport = transport(settings(&server, Login { key: Some(text_of(&key)), ..Login::default() }));
        assert_eq!(ask(&transport, "/x").await.unwrap(), "/x", "{}", key.algorithm());
    }
}

#[tokio::test]
async fn passwords_and_questions_log_in() {
    for questions in [false, true] {
        let (_server, transport) = open(Rules { questions, ..Rules::default() }).await;
        assert_eq!(ask(&transport, "/x").await.unwrap(), "/x", "{questions}");
    }
}

fn signed(
    authority: &PrivateKey,
    key: &PublicKey,
    kind: CertType,
    principal: &str,
    until: u64,
) -> Certificate {
    let mut rng = UnwrapErr(SysRng);
    let mut builder = Builder::new_with_random_nonce(&mut rng, key, 0, until).unwrap();
    builder.cert_type(kind).unwrap();
    builder.valid_principal(principal).unwrap();
    builder.sign(authority).unwrap()
}

const FAR: u64 = i64::MAX as u64;

#[tokio::test]
async fn a_users_certificate_logs_in() {
    let authority = key(Algorithm::Ed25519);
    let rsa = PrivateKey::from_openssh(include_str!("testdata/rsa")).unwrap();
    for own in [key(Algorithm::Ed25519), key(Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 }), rsa] {
        let rules = Rules { authority: Some(authority.public_key().clone()), ..Rules::default() };
        let server = serve(rules).await;
        let certificate = signed(&authority, own.public_key(), CertType::User, "ops", FAR);
        let login = Login {
            key: Some(text_of(&own)),
            certificate: Some(certificate.to_openssh().unwrap()),
            ..Login::default()
        };
        assert_eq!(ask(&transport(settings(&server, login.clone())), "/x").await.unwrap(), "/x");
        let other = Login { key: Some(text_of(&key(Algorithm::Ed25519))), ..login };
        let error = ssh_error(ask(&transport(settings(&server, other)), "/x").await.unwrap_err());
        assert!(matches!(&error, SshError::Key { text, .. } if text.contains("another key")), "{error}");
    }
}

#[tokio::test]
async fn a_wrong_key_is_offered_once_and_never_again() {
    let wrong = key(Algorithm::Ed25519);
    let server =
        serve(Rules { key: Some(key(Algorithm::Ed25519).public_key().clone()), ..Rules::default() }).await;
    let transport = transport(settings(&server, Login { key: Some(text_of(&wrong)), ..Login::default() }));
    let askers = join_all((0..10).map(|_| ask(&transport, "/x"))).await;
    let later = ask(&transport, "/x").await;
    for refused in askers.into_iter().chain([later]) {
        let error = ssh_error(refused.unwrap_err());
        let text = error.to_string();
        let fingerprint = wrong.public_key().fingerprint(HashAlg::Sha256).to_string();
        assert!(matches!(error, SshError::LoginRefused { .. }), "{text}");
        assert!(text.contains(&fingerprint) && text.contains("it accepts"), "{text}");
    }
    assert_eq!((server.counts.logins(), server.counts.connections()), (1, 1));
}

#[tokio::test]
async fn a_server_with_another_key_learns_nothing() {
    let (server, _) = open(Rules::default()).await;
    let other = key(Algorithm::Ed25519);
    let folder = tempfile::tempdir().unwrap();
    let known = folder.path().join("known_hosts");
    let line = format!("[127.0.0.1]:{} {}\n", server.port, other.public_key().to_openssh().unwrap());
    std::fs::write(&known, line).unwrap();
    let policies = [HostKeys::Pinned(other.public_key().to_openssh().unwrap()), HostKeys::Files(vec![known])];
    for host_keys in policies {
        let mut settings = settings(&server, with_password());
        settings.target.host_keys = host_keys;
        let error = ssh_error(ask(&transport(settings), "/x").await.unwrap_err()).to_string();
        for key in [&server.host_key, other.public_key()] {
            assert!(error.contains(&key.fingerprint(HashAlg::Sha256).to_string()), "{error}");
        }
        assert!(!error.contains("canary"), "{error}");
    }
    let mut unknown = settings(&server, with_password());
    unknown.target.host_keys = HostKeys::Files(vec![folder.path().join("none")]);
    let error = ssh_error(ask(&transport(unknown), "/x").await.unwrap_err());
    assert!(matches!(error, SshError::HostKeyUnknown { .. }), "{error}");
    assert_eq!(server.counts.logins(), 0, "no login was tried");
}

/// Servers count those who call and then say nothing, too.
#[tokio::test]
async fn what_is_wrong_on_our_side_is_known_before_anybody_is_called() {
    let (server, _) = open(Rules::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let text = |text: &str| Login { key: Some(KeySource::Text(Secret::new(text))), ..Login::default() };
    let logins = [
        Login::default(),
        text("nonsense"),
        text(include_str!("testdata/security-key")),
        Login { key: Some(KeySource::File(folder.path().join("none"))), ..Login::default() },
        Login { certificate: Some("ssh-ed25519-cert-v01@openssh.com AAAA".into()), ..text_login() },
        Login { agent: true, ..Login::default() },
    ];
    for login in logins {
        ssh_error(ask(&transport(settings(&server, login)), "/x").await.unwrap_err());
    }
    let mut unreadable = settings(&server, with_password());
    unreadable.target.host_keys = HostKeys::Files(vec![folder.path().to_owned()]);
    ssh_error(ask(&transport(unreadable), "/x").await.unwrap_err());
    assert_eq!(server.counts.connections(), 0);
}

fn text_login() -> Login {
    Login { key: Some(text_of(&key(Algorithm::Ed25519))), ..Login::default() }
}

#[tokio::test]
async fn an_unknown_host_key_is_looked_at_once() {
    let (server, _) = open(Rules::default()).await;
    let mut unknown = settings(&server, with_password());
    unknown.target.host_keys = HostKeys::Files(vec!["/none".into()]);
    let transport = transport(unknown);
    for _ in 0..3 {
        let error = ssh_error(ask(&transport, "/x").await.unwrap_err());
        assert!(matches!(error, SshError::HostKeyUnknown { .. }), "{error}");
    }
    assert_eq!(server.counts.connections(), 1);
}

#[tokio::test]
async fn that_a_host_is_not_reached_is_heard_by_all() {
    let (bastion, _) = open(Rules::default()).await;
    let (server, _) = open(Rules::default()).await;
    let mut through = settings(&server, with_password());
    through.bastion = Some(settings(&bastion, with_password()).target);
    through.target.port =
        Some(std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    let transport = transport(through);
    for _ in 0..4 {
        let error = ssh_error(ask(&transport, "/x").await.unwrap_err());
        assert!(matches!(error, SshError::BastionRefuses { .. }), "{error}");
    }
    assert_eq!(bastion.counts.connections(), 1);
}

/// Comments of known hosts are in whatever their writers used.
#[tokio::test]
async fn known_hosts_need_not_be_utf8() {
    let (server, _) = open(Rules::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let known = folder.path().join("known_hosts");
    let line = format!("[127.0.0.1]:{} {} ", server.port, server.host_key.to_openssh().unwrap());
    std::fs::write(&known, [b"# M\xfcnchen\n", line.as_bytes(), b"\xfc\r\n"].concat()).unwrap();
    let mut settings = settings(&server, with_password());
    settings.target.host_keys = HostKeys::Files(vec![known]);
    assert_eq!(ask(&transport(settings), "/x").await.unwrap(), "/x");
}

#[tokio::test]
async fn a_host_shows_itself_by_a_certificate() {
    let (authority, own) = (key(Algorithm::Ed25519), key(Algorithm::Ed25519));
    let certificate = signed(&authority, own.public_key(), CertType::Host, "127.0.0.1", FAR);
    let rules = Rules { password: Some("canary"), ..Rules::default() };
    let server = serve_with(rules, own, vec![certificate]).await;
    let folder = tempfile::tempdir().unwrap();
    let known = folder.path().join("known_hosts");
    let line = format!("@cert-authority * {}\n", authority.public_key().to_openssh().unwrap());
    std::fs::write(&known, line).unwrap();
    let mut settings = settings(&server, with_password());
    settings.target.host_keys = HostKeys::Files(vec![known]);
    assert_eq!(ask(&transport(settings), "/x").await.unwrap(), "/x");
}

#[tokio::test]
async fn thirty_requests_at_once_share_one_connection() {
    let (server, transport) = open(Rules::default()).await;
    let paths: Vec<String> = (0..30).map(|n| format!("/{n}")).collect();
    let answers = join_all(paths.iter().map(|path| ask(&transport, path))).await;
    for (path, answer) in paths.iter().zip(answers) {
        assert_eq!(&answer.unwrap(), path);
    }
    assert_eq!((server.counts.connections(), server.counts.logins()), (1, 1));
    assert_eq!(commands(&server.counts), Vec::<String>::new(), "forwarding needs no session");
}

#[tokio::test]
async fn a_connection_that_was_cut_is_made_again() {
    let (server, transport) = open(Rules::default()).await;
    assert_eq!(ask(&transport, "/a").await.unwrap(), "/a");
    server.cut();
    let host =
        crate::hosts::Host::new("gpu-a", std::sync::Arc::new(transport), std::collections::BTreeMap::new());
    // Through the layers that a provider uses: a question is asked again, and nobody notices.
    let mut shell = host.shell("look", "echo here").await;
    if shell.is_err() {
        shell = host.shell("look", "echo here").await;
    }
    assert_eq!(shell.unwrap().unwrap().stdout, "here\n");
    assert_eq!(server.counts.connections(), 2);
    host.close().await;
    let error = host.shell("look", "echo here").await.unwrap_err();
    assert!(error.to_string().contains("ending"), "{error}");
}

#[tokio::test]
async fn a_bastion_is_passed() {
    let (bastion, _) = open(Rules::default()).await;
    let (server, _) = open(Rules::default()).await;
    let mut through = settings(&server, with_password());
    through.bastion = Some(settings(&bastion, with_password()).target);
    let through = transport(through);
    assert_eq!(ask(&through, "/x").await.unwrap(), "/x");
    assert_eq!((bastion.counts.connections(), server.counts.connections()), (1, 1));
    through.close().await;
}

/// The bastion's administrator is another one than the host's.
#[tokio::test]
async fn a_bastion_does_not_get_the_hosts_password() {
    let own = key(Algorithm::Ed25519);
    let (bastion, server) = (serve(Rules::default()).await, serve(Rules::default()).await);
    let mut through = settings(&server, with_password());
    through.bastion = Some(settings(&bastion, Login::default()).target);
    let error = ssh_error(ask(&transport(through.clone()), "/x").await.unwrap_err());
    let at = format!("127.0.0.1:{}", bastion.port);
    assert_eq!(error, SshError::NothingToOffer { at });
    assert_eq!(bastion.counts.connections(), 0);
    // A key is shown to it, which tells it nothing; the password still is not.
    through.target.login.key = Some(text_of(&own));
    let error = ssh_error(ask(&transport(through), "/x").await.unwrap_err());
    assert!(matches!(&error, SshError::LoginRefused { offered, .. } if offered.len() == 1), "{error}");
    assert_eq!((bastion.counts.logins(), server.counts.connections()), (1, 0));
}

/// As OpenSSH does.
#[tokio::test]
async fn a_key_file_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let own = key(Algorithm::Ed25519);
    let server = serve(Rules { key: Some(own.public_key().clone()), ..Rules::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("id_ed25519");
    std::fs::write(&path, own.to_openssh(LineEnding::LF).unwrap().as_str()).unwrap();
    for (mode, expected) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o644, false)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let login = Login { key: Some(KeySource::File(path.clone())), ..Login::default() };
        match ask(&transport(settings(&server, login)), "/x").await {
            Ok(_) => assert!(expected, "{mode:o}"),
            Err(cause) => {
                let error = ssh_error(cause);
                assert!(!expected && error.next_step().contains("chmod 600"), "{mode:o}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn ports_of_the_host_are_reached_and_a_shut_one_is_refused() {
    let (_server, transport) = open(Rules::default()).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut all = String::new();
        stream.read_to_string(&mut all).await.unwrap();
        stream.write_all(format!("{all} too").as_bytes()).await.unwrap();
    });
    let mut stream = transport.tcp("127.0.0.1", port).await.unwrap();
    stream.write_all(b"me").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "me too", "after our end was shut, theirs goes on");
    serving.await.unwrap();
    let error = transport.tcp("127.0.0.1", port).await.err().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
}

/// `AllowTcpForwarding no` of sshd.
#[tokio::test]
async fn where_no_port_is_forwarded_a_shell_connects() {
    let (server, transport) =
        open(Rules { forwards_ports: false, max_sessions: 1, ..Rules::default() }).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 4];
            stream.read_exact(&mut asked).await.unwrap();
            stream.write_all(&asked).await.unwrap();
            // The first stays open until we go, the others are ended here.
            if &asked == b"wait" {
                assert_eq!(stream.read(&mut asked).await.unwrap(), 0);
            }
        }
    });
    for asked in ["wait", "ab\0\n", "\u{1}\u{1}\u{1}\u{1}"] {
        let mut stream = transport.tcp("127.0.0.1", port).await.unwrap();
        stream.write_all(asked.as_bytes()).await.unwrap();
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, asked.as_bytes());
        if asked != "wait" {
            assert_eq!(stream.read(&mut answer).await.unwrap(), 0, "its end is heard");
        }
    }
    serving.await.unwrap();
    let error = transport.tcp("127.0.0.1", port).await.err().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert!(error.to_string().contains("refused"), "{error}");
    assert_eq!(server.counts.connections(), 1);
    let text = tcp_through_shell::failure("sh: 1: bash: not found\n");
    assert!(text.contains("forwards no TCP"), "{text}");
}

#[tokio::test]
async fn where_nothing_is_forwarded_a_command_takes_its_place() {
    let shut = "socket shut\nhas docker\nhas sudo\n";
    let dial = |server: &Server| format!("docker -H 'unix://{}' system dial-stdio", server.socket.display());
    // look, sudo asks for, we have, what ran last
    let table = [
        (Rules::default().look, None, None, ""),
        (shut, None, None, "sudo -k -n "),
        (shut, Some("canary"), Some("canary"), "sudo -k -S -p '[dynamo PROMPT]' "),
    ];
    for (look, sudo, password, before) in table {
        let rules = Rules { password: Some("canary"), forwards: false, look, sudo, ..Rules::default() };
        let server = serve(rules).await;
        let mut settings = settings(&server, with_password());
        settings.sudo_password = password.map(Secret::new);
        let transport = transport(settings);
        for path in ["/a", "/b"] {
            assert_eq!(ask(&transport, path).await.unwrap(), path);
        }
        let ran = commands(&server.counts);
        let prompts: Vec<&str> = ran.iter().filter_map(|it| it.split(['[', ']']).nth(1)).collect();
        let last = prompts.last().map_or(String::new(), |prompt| format!("[{prompt}]"));
        let last = ran.last().unwrap().replace(&last, "[dynamo PROMPT]");
        if before.contains("PROMPT") {
            assert_eq!(last, format!("{before}{}", dial(&server)));
            let others: std::collections::BTreeSet<&&str> = prompts.iter().collect();
            assert!(
                others.len() == prompts.len() && prompts.len() >= 3,
                "the same prompt twice: {prompts:?}"
            );
        } else {
            assert_eq!(ran.last().unwrap(), &format!("{before}{}", dial(&server)));
        }
        assert_eq!(ran.iter().filter(|it| *it == "sh -s").count(), 1, "one look, then it is known");
        assert!(ran.iter().all(|command| !command.contains("canary")), "{ran:?}");
    }
}

#[tokio::test]
async fn sudo_that_does_not_let_us_says_so() {
    let shut = "socket shut\nhas docker\nhas sudo\n";
    for (password, expected) in [(None, "asks for a password"), (Some("wrong"), "does not take the password")]
    {
        let rules = Rules {
            password: Some("canary"),
            forwards: false,
            look: shut,
            sudo: Some("right"),
            ..Rules::default()
        };
        let server = serve(rules).await;
        let mut settings = settings(&server, with_password());
        settings.sudo_password = password.map(Secret::new);
        let error = ask(&transport(settings), "/x").await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(
            commands(&server.counts).iter().all(|it| !it.contains("sudo -k -S") || it.ends_with(" -v")),
            "no stream to sudo"
        );
    }
}

#[tokio::test]
async fn as_many_sessions_are_used_as_the_server_has() {
    for most in [1, 3] {
        let (server, transport) =
            open(Rules { forwards: false, max_sessions: most, ..Rules::default() }).await;
        let shells = join_all((0..12).map(|n| {
            let transport = &transport;
            async move { transport.run("sh -s", &format!("sleep 0.05; echo {n}")).await.unwrap().stdout }
        }))
        .await;
        let expected: Vec<String> = (0..12).map(|n| format!("{n}\n")).collect();
        assert_eq!(shells, expected);
        let refused = server.counts.refused_sessions.load(Ordering::SeqCst);
        assert!(refused > 0, "eight were tried");
        let left = transport.connection.session().await.unwrap().channels.left();
        assert!((1..=most).contains(&left), "{left} of {most}");
    }
    let (_server, transport) = open(Rules { max_sessions: 0, ..Rules::default() }).await;
    let error = transport.run("sh -s", "echo").await.unwrap_err();
    assert!(
        matches!(error, Cause::Ssh(ref error) if matches!(**error, SshError::SessionRefused { .. })),
        "{error}"
    );
    assert_eq!(ask(&transport, "/x").await.unwrap(), "/x", "forwarding is not a session");
}

#[tokio::test]
async fn streams_that_are_dropped_give_their_session_back() {
    let (server, transport) = open(Rules { forwards: false, max_sessions: 2, ..Rules::default() }).await;
    for round in 0..3 {
        let paths: Vec<String> = (0..10).map(|n| format!("/{round}/{n}")).collect();
        let heads = join_all(paths.iter().map(async |path| {
            let mut stream = transport.engine().await.unwrap();
            stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: d\r\n\r\n").as_bytes()).await.unwrap();
            let mut head = [0; 12];
            stream.read_exact(&mut head).await.unwrap();
            head
        }));
        for head in heads.await {
            assert_eq!(&head, b"HTTP/1.1 200");
        }
    }
    assert_eq!(server.counts.connections(), 1);
}

#[tokio::test]
async fn files_ports_and_scripts_are_seen_by_a_shell() {
    let (_server, transport) = open(Rules::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("it's $HOME");
    std::fs::write(&odd, "").unwrap();
    assert_eq!(transport.path_exists(&odd, "").await, Some(true));
    assert_eq!(transport.path_exists(&folder.path().join("a/b/c"), "").await, Some(false));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = transport.listening("").await.unwrap();
    assert!(seen.iter().any(|socket| socket.port == port));
    let output = transport.shell("echo out; exit 3").await.unwrap().unwrap();
    assert_eq!((output.status, output.stdout.as_str()), (3, "out\n"));
}

#[tokio::test]
async fn a_host_that_is_not_there_is_unreachable_and_one_that_refuses_is_not() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (server, _) = open(Rules::default()).await;
    let mut nobody = settings(&server, with_password());
    nobody.target.port = Some(port);
    let host = |settings| {
        let transport = std::sync::Arc::new(transport(settings));
        crate::hosts::Host::new("gpu-a", transport, std::collections::BTreeMap::new())
    };
    let error = host(nobody).inventory().await.unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    let wrong = Login { password: Some(Secret::new("wrong")), ..Login::default() };
    let error = host(settings(&server, wrong)).inventory().await.unwrap_err();
    assert!(!error.is_unreachable() && !error.to_string().contains("wrong"), "{error}");
    let nothing = host(settings(&server, Login::default())).inventory().await.unwrap_err();
    assert!(nothing.to_string().contains("DYNAMO_SSH_PRIVATE_KEY"), "{nothing}");
}

/// Known hosts as ssh-keygen writes and hashes them.
#[test]
fn known_hosts_are_judged_as_ssh_does() {
    use crate::hosts::ssh::known_hosts::{KnownHosts, OfferedKey, Verdict};
    let keys: Vec<PublicKey> = (0..3).map(|_| key(Algorithm::Ed25519).public_key().clone()).collect();
    let line = |hosts: &str, n: usize| format!("{hosts} {}", keys[n].to_openssh().unwrap());
    let hashed = {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD;
        let salt = b"01234567890123456789";
        let mac = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
        let tag = aws_lc_rs::hmac::sign(&mac, b"gpu-a.example.org");
        format!("|1|{}|{}", text.encode(salt), text.encode(tag.as_ref()))
    };
    let mismatch =
        |n: usize| Verdict::Mismatch(vec![crate::hosts::ssh::known_hosts::fingerprint(keys[n].key_data())]);
    let table = [
        (line("gpu-a", 0), "gpu-a", 22, Verdict::Trusted),
        (line("GPU-a", 0), "gpu-A", 22, Verdict::Trusted),
        (line("gpu-a,10.0.0.1", 0), "10.0.0.1", 22, Verdict::Trusted),
        (line("gpu-a", 1), "gpu-a", 22, mismatch(1)),
        (line("gpu-a", 1), "gpu-b", 22, Verdict::Unknown),
        (line("gpu-a", 0), "gpu-a", 2222, Verdict::Trusted),
        (line("gpu-a", 1), "gpu-a", 2222, Verdict::Unknown),
        (format!("{}\n{}", line("gpu-a", 0), line("[gpu-a]:2222", 1)), "gpu-a", 2222, mismatch(1)),
        (format!("@revoked {}", line("gpu-a", 0)), "gpu-a", 2222, Verdict::Revoked),
        (line("[gpu-a]:2222", 0), "gpu-a", 2222, Verdict::Trusted),
        (line("[gpu-a]:2222", 0), "gpu-a", 22, Verdict::Unknown),
        (format!("{} me@x\r\n", line("gpu-a", 0)), "gpu-a", 22, Verdict::Trusted),
        (line("*.example.org", 0), "a.example.org", 22, Verdict::Trusted),
        (line("*.example.org,!b.example.org", 0), "b.example.org", 22, Verdict::Unknown),
        (line(&hashed, 0), "gpu-a.example.org", 22, Verdict::Trusted),
        (line(&hashed, 0), "gpu-b.example.org", 22, Verdict::Unknown),
        (format!("{}\n{}", line("gpu-a", 1), line("gpu-a", 0)), "gpu-a", 22, Verdict::Trusted),
        (format!("{}\n@revoked {}", line("gpu-a", 0), line("*", 0)), "gpu-a", 22, Verdict::Revoked),
        (format!("@cert-authority {}", line("*", 0)), "gpu-a", 22, Verdict::Unknown),
        (format!("@other {}", line("gpu-a", 0)), "gpu-a", 22, Verdict::Unknown),
        (format!("# {}\n\ngarbage\ngpu-a ssh-ed25519 AAAA", line("gpu-a", 0)), "gpu-a", 22, Verdict::Unknown),
    ];
    for (text, host, port, expected) in table {
        let judged = KnownHosts::parse(&text).judge(host, port, OfferedKey::Key(keys[0].key_data()), 0);
        assert_eq!(judged, expected, "{host}:{port} in {text}");
    }
    let pinned =
        KnownHosts::pinned(&format!("{}\n{}", keys[1].to_openssh().unwrap(), keys[2].to_openssh().unwrap()));
    let pinned = pinned.unwrap();
    assert_eq!(pinned.judge("any", 1, OfferedKey::Key(keys[2].key_data()), 0), Verdict::Trusted);
    assert!(
        matches!(pinned.judge("any", 1, OfferedKey::Key(keys[0].key_data()), 0), Verdict::Mismatch(both) if both.len() == 2)
    );
    for text in ["", "ssh-ed25519", "gpu-a ssh-ed25519 AAAA"] {
        assert!(KnownHosts::pinned(text).is_err(), "{text}");
    }
}

#[test]
fn certificates_of_hosts_are_judged() {
    use crate::hosts::ssh::known_hosts::{KnownHosts, OfferedKey, Verdict};
    let (authority, own, other) = (key(Algorithm::Ed25519), key(Algorithm::Ed25519), key(Algorithm::Ed25519));
    let known =
        KnownHosts::parse(&format!("@cert-authority *.org {}", authority.public_key().to_openssh().unwrap()));
    let host = CertType::Host;
    // who signed, of which kind, for whom, until when, at which time, good
    let table = [
        (&authority, host, "a.org", FAR, 5, Some(true)),
        (&authority, host, "b.org", FAR, 5, Some(false)),
        (&authority, CertType::User, "a.org", FAR, 5, Some(false)),
        (&authority, host, "a.org", 4, 5, Some(false)),
        (&other, host, "a.org", FAR, 5, None),
    ];
    for (signer, kind, principal, until, now, good) in table {
        let certificate = signed(signer, own.public_key(), kind, principal, until);
        let verdict = known.judge("a.org", 22, OfferedKey::Certificate(&certificate), now);
        let as_expected = match good {
            Some(true) => verdict == Verdict::Trusted,
            Some(false) => matches!(verdict, Verdict::BadCertificate(_)),
            None => verdict == Verdict::Unknown,
        };
        assert!(as_expected, "{principal} {until}: {verdict:?}");
    }
}
