//! An SSH server in this process that counts what it is asked, and behind it a Docker Engine of paper.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::keys::ssh_key::rand_core::UnwrapErr;
use russh::keys::{Algorithm, Certificate, PrivateKey, PublicKey};
use russh::server::{
    Auth, ChannelOpenHandle, Config, Handle, Handler, Msg, PublicKeyOffer, Response, Session,
    VerifiedPublicKey,
};
use russh::{Channel, ChannelId, ChannelOpenFailure};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

/// Who may come in, and what is allowed.
#[derive(Clone)]
pub(super) struct Rules {
    pub key: Option<PublicKey>,
    pub authority: Option<PublicKey>,
    pub password: Option<&'static str>,
    pub questions: bool,
    pub forwards: bool,
    pub forwards_ports: bool,
    pub max_sessions: usize,
    /// The password that sudo asks for; `None`: it asks for none.
    pub sudo: Option<&'static str>,
    /// What a shell finds when it looks at the socket.
    pub look: &'static str,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            key: None,
            authority: None,
            password: None,
            questions: false,
            forwards: true,
            forwards_ports: true,
            max_sessions: 10,
            sudo: None,
            look: "socket open\nhas docker\nhas sudo\n",
        }
    }
}

#[derive(Default)]
pub(super) struct Counts {
    pub connections: AtomicUsize,
    /// Keys and passwords that were offered.
    pub logins: AtomicUsize,
    pub sessions: AtomicUsize,
    pub refused_sessions: AtomicUsize,
    pub commands: Mutex<Vec<String>>,
}

impl Counts {
    pub(super) fn logins(&self) -> usize {
        self.logins.load(Ordering::SeqCst)
    }
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

pub(super) struct Server {
    pub port: u16,
    pub host_key: PublicKey,
    pub counts: Arc<Counts>,
    pub socket: PathBuf,
    /// Cancelling it cuts all connections.
    pub cut: Arc<Mutex<CancellationToken>>,
    _folder: tempfile::TempDir,
}

pub(super) fn key(algorithm: Algorithm) -> PrivateKey {
    PrivateKey::random(&mut UnwrapErr(getrandom::SysRng), algorithm).unwrap()
}

pub(super) async fn serve(rules: Rules) -> Server {
    serve_with(rules, key(Algorithm::Ed25519), Vec::new()).await
}

pub(super) async fn serve_with(rules: Rules, host_key: PrivateKey, certificates: Vec<Certificate>) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    tokio::spawn(engine(UnixListener::bind(&socket).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let counts = Arc::new(Counts::default());
    let cut = Arc::new(Mutex::new(CancellationToken::new()));
    let public = host_key.public_key().clone();
    let config = Arc::new(Config {
        keys: vec![host_key],
        certificates,
        auth_rejection_time: Duration::ZERO,
        auth_rejection_time_initial: Some(Duration::ZERO),
        ..Config::default()
    });
    let (shared, cutting, socket_path) = (Arc::clone(&counts), Arc::clone(&cut), socket.clone());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            shared.connections.fetch_add(1, Ordering::SeqCst);
            let door = Door {
                rules: rules.clone(),
                counts: Arc::clone(&shared),
                socket: socket_path.clone(),
                channels: HashMap::new(),
            };
            let (config, cut) = (Arc::clone(&config), cutting.lock().unwrap().clone());
            let (theirs, mut wire) = tokio::io::duplex(1 << 16);
            tokio::spawn(async move { russh::server::run_stream(config, theirs, door).await?.await });
            tokio::spawn(async move {
                let mut stream = stream;
                tokio::select! {
                    () = cut.cancelled() => {}
                    _ = tokio::io::copy_bidirectional(&mut stream, &mut wire) => {}
                }
            });
        }
    });
    Server { port, host_key: public, counts, socket, cut, _folder: folder }
}

impl Server {
    /// Ends all connections, as a restart of the host does.
    pub(super) fn cut(&self) {
        let mut cut = self.cut.lock().unwrap();
        cut.cancel();
        *cut = CancellationToken::new();
    }
}

/// Answers `GET path` with the path.
async fn engine(listener: UnixListener) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let (read, mut write) = stream.into_split();
            let mut lines = BufReader::new(read).lines();
            let first = lines.next_line().await.unwrap().unwrap_or_default();
            while lines.next_line().await.unwrap().is_some_and(|line| !line.is_empty()) {}
            let path = first.split_whitespace().nth(1).unwrap_or("bad request").to_owned();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{path}", path.len());
            write.write_all(answer.as_bytes()).await.unwrap();
        });
    }
}

struct Door {
    rules: Rules,
    counts: Arc<Counts>,
    socket: PathBuf,
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl Handler for Door {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        _: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, russh::Error> {
        self.counts.logins.fetch_add(1, Ordering::SeqCst);
        let known = self.rules.authority.is_some()
            || self.rules.key.as_ref().is_some_and(|key| key.key_data() == offer.public_key.key_data());
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(&mut self, _: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        assert_ne!(key.algorithm.as_str(), "ssh-rsa", "SHA-1");
        self.counts.logins.fetch_add(1, Ordering::SeqCst);
        let known = self.rules.key.as_ref().is_some_and(|it| it.key_data() == key.public_key.key_data());
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_openssh_certificate(&mut self, _: &str, shown: &Certificate) -> Result<Auth, russh::Error> {
        self.counts.logins.fetch_add(1, Ordering::SeqCst);
        let known = self.rules.authority.as_ref().is_some_and(|it| it.key_data() == shown.signature_key());
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_password(&mut self, _: &str, password: &str) -> Result<Auth, russh::Error> {
        self.counts.logins.fetch_add(1, Ordering::SeqCst);
        let right = !self.rules.questions && self.rules.password == Some(password);
        Ok(if right { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        let Some(mut answers) = response else {
            let prompts = vec![("Password: ".into(), false)].into();
            return Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts });
        };
        self.counts.logins.fetch_add(1, Ordering::SeqCst);
        let answer = answers.next().unwrap_or_default();
        let right = self.rules.questions && self.rules.password.map(str::as_bytes) == Some(&answer);
        Ok(if right { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_direct_streamlocal(
        &mut self,
        channel: Channel<Msg>,
        path: &str,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        match UnixStream::connect(path).await {
            Ok(mut stream) if self.rules.forwards => {
                reply.accept().await;
                let mut channel = channel.into_stream();
                tokio::spawn(async move { tokio::io::copy_bidirectional(&mut channel, &mut stream).await });
            }
            // sshd says the same for all reasons.
            _ => reply.reject(ChannelOpenFailure::ConnectFailed).await,
        }
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        if !self.rules.forwards_ports {
            reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
            return Ok(());
        }
        match TcpStream::connect((host, u16::try_from(port).unwrap())).await {
            Ok(mut stream) => {
                reply.accept().await;
                let mut channel = channel.into_stream();
                tokio::spawn(async move { tokio::io::copy_bidirectional(&mut channel, &mut stream).await });
            }
            Err(_) => reply.reject(ChannelOpenFailure::ConnectFailed).await,
        }
        Ok(())
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        if self.counts.sessions.fetch_add(1, Ordering::SeqCst) >= self.rules.max_sessions {
            self.counts.sessions.fetch_sub(1, Ordering::SeqCst);
            self.counts.refused_sessions.fetch_add(1, Ordering::SeqCst);
            reply.reject(ChannelOpenFailure::ConnectFailed).await;
        } else {
            self.channels.insert(channel.id(), channel);
            reply.accept().await;
        }
        Ok(())
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        data: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let command = String::from_utf8_lossy(data).into_owned();
        self.counts.commands.lock().unwrap().push(command.clone());
        let channel = self.channels.remove(&id).unwrap();
        let running = RunningCommand {
            id,
            handle: session.handle(),
            rules: self.rules.clone(),
            socket: self.socket.clone(),
        };
        let counts = Arc::clone(&self.counts);
        tokio::spawn(async move {
            let status = running.run(&command, channel).await;
            counts.sessions.fetch_sub(1, Ordering::SeqCst);
            let _: Result<(), ()> = running.handle.exit_status_request(id, status).await;
            let _: Result<(), ()> = running.handle.eof(id).await;
            let _: Result<(), ()> = running.handle.close(id).await;
        });
        Ok(())
    }
}

struct RunningCommand {
    id: ChannelId,
    handle: Handle,
    rules: Rules,
    socket: PathBuf,
}

impl RunningCommand {
    async fn say(&self, stream: u32, text: &str) {
        self.handle.extended_data(self.id, stream, text.as_bytes().to_vec()).await.unwrap();
    }

    /// Input and output are those of a program.
    async fn program(&self, command: &str, io: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> u32 {
        let piped = std::process::Stdio::piped;
        let mut program = tokio::process::Command::new("sh");
        let program = program.args(["-c", command]).stdin(piped()).stdout(piped()).stderr(piped());
        let mut child = program.kill_on_drop(true).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let (mut output, mut errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (mut from, mut to) = tokio::io::split(io);
        let feed = async {
            drop(tokio::io::copy(&mut from, &mut input).await);
            drop(input);
            std::future::pending::<()>().await;
        };
        let mut said = String::new();
        tokio::select! {
            () = feed => {}
            _ = async { tokio::join!(tokio::io::copy(&mut output, &mut to), errors.read_to_string(&mut said)) } => {}
        }
        self.say(1, &said).await;
        child.wait().await.unwrap().code().map_or(255, i32::unsigned_abs)
    }

    async fn run(&self, command: &str, channel: Channel<Msg>) -> u32 {
        let mut io = channel.into_stream();
        if command == "sh -s" {
            let mut script = String::new();
            io.read_to_string(&mut script).await.unwrap();
            if script.contains("command -v docker") {
                io.write_all(self.rules.look.as_bytes()).await.unwrap();
                return 0;
            }
            return shell(&script, &mut io).await;
        }
        if command.starts_with("bash -c ") {
            return self.program(command, &mut io).await;
        }
        let prompt = command.strip_prefix("sudo -k -S -p '").and_then(|rest| rest.split_once("' "));
        if let Some((prompt, "-v")) = prompt {
            self.say(1, &format!("Lecture.\n{prompt}")).await;
            let mut input = String::new();
            io.read_to_string(&mut input).await.unwrap();
            let right = self.rules.sudo.is_some_and(|password| input == format!("{password}\n"));
            if !right {
                self.say(1, "Sorry, try again.\nsudo: 1 incorrect password attempt\n").await;
            }
            return u32::from(!right);
        }
        if command.starts_with("sudo -k -n ") && self.rules.sudo.is_some() {
            self.say(1, "sudo: a password is required\n").await;
            return 1;
        }
        if let (Some((prompt, _)), Some(password)) = (prompt, self.rules.sudo) {
            // A login that prints more than is kept of stderr.
            self.say(1, &format!("{}{prompt}", "Lecture.\n".repeat(3_000))).await;
            let mut line = Vec::new();
            while !line.ends_with(b"\n") {
                line.push(io.read_u8().await.unwrap());
            }
            assert_eq!(line, format!("{password}\n").as_bytes(), "the first line goes to sudo");
        }
        assert!(command.ends_with(" system dial-stdio"), "{command}");
        let mut engine = UnixStream::connect(&self.socket).await.unwrap();
        drop(tokio::io::copy_bidirectional(&mut io, &mut engine).await);
        0
    }
}

async fn shell(script: &str, io: &mut (impl tokio::io::AsyncWrite + Unpin)) -> u32 {
    let script = script.to_owned();
    let run = move || std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    io.write_all(&output.stdout).await.unwrap();
    output.status.code().unwrap().unsigned_abs()
}
