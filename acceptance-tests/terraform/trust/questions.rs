//! A server that asks questions (keyboard-interactive): the password is the answer to one of them, and to no other.

use std::sync::{Arc, Mutex};

use russh::{
    keys::{Algorithm, PrivateKey, ssh_key::rand_core::UnwrapErr},
    server::{Auth, Config, Handler, Response},
};

use super::super::{Case, harness::Scene};

pub const CASES: &[Case] = &[("the_password_answers_one_question", one_question)];

const PASSWORD: &str = "canary-password";

/// Each question with whether the answer is echoed, of one round.
type Round = &'static [(&'static str, bool)];

/// Asks its rounds, remembers the answers, and lets nobody in.
struct Asker {
    rounds: &'static [Round],
    asked: usize,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Handler for Asker {
    type Error = russh::Error;

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        for answer in response.into_iter().flatten() {
            self.heard.lock().unwrap().push(String::from_utf8_lossy(&answer).into_owned());
        }
        let Some(round) = self.rounds.get(self.asked) else { return Ok(Auth::reject()) };
        self.asked += 1;
        let prompts = round.iter().map(|(text, echo)| ((*text).into(), *echo)).collect::<Vec<_>>().into();
        Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts })
    }
}

/// What a plan answers to a server that asks so.
fn answers(rounds: &'static [Round]) -> (Vec<String>, String) {
    let host_key = PrivateKey::random(&mut UnwrapErr(getrandom::SysRng), Algorithm::Ed25519).unwrap();
    let public = host_key.public_key().to_openssh().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let methods: russh::MethodSet = (&[russh::MethodKind::KeyboardInteractive][..]).into();
    let config = Arc::new(Config {
        keys: vec![host_key],
        methods,
        auth_rejection_time: std::time::Duration::ZERO,
        auth_rejection_time_initial: Some(std::time::Duration::ZERO),
        ..Config::default()
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    let shared = Arc::clone(&heard);
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let asker = Asker { rounds, asked: 0, heard: Arc::clone(&shared) };
            let config = Arc::clone(&config);
            tokio::spawn(async move { russh::server::run_stream(config, stream, asker).await?.await });
        }
    });
    let scene = Scene::new(&format!(
        "provider \"dynamo\" {{\n  hosts = {{\n    gpu-a = {{ address = \"127.0.0.1\", port = {port}, user = \"ops\", password = {PASSWORD:?}, host_key = {public:?} }}\n  }}\n}}\ndata \"dynamo_host\" \"here\" {{}}\n"
    ));
    let outcome = scene.terraform(&["plan", "-input=false", "-no-color"]);
    let heard = heard.lock().unwrap().clone();
    (heard, outcome.to_string())
}

fn one_question() {
    let said = |heard: &[String]| heard.iter().filter(|answer| *answer == PASSWORD).count();
    // The questions, and how often the password is an answer.
    let table: [(&'static [Round], usize); 9] = [
        (&[&[("Password: ", false)]], 1),
        (&[&[("ops@gpu-a's password: ", false)]], 1),
        (&[&[("(ops@gpu-a) Password: ", false)]], 1),
        (&[&[("Verification code: ", false)]], 0),
        (&[&[("One-time password (OATH) for `ops': ", false)]], 0),
        (&[&[("Password: ", false), ("Verification code: ", false)]], 1),
        (&[&[("Password: ", false), ("Password for root@bank.example.com: ", false)]], 1),
        (&[&[("root@bank.example.com's password: ", false)]], 0),
        (&[&[("Password: ", true)]], 0),
    ];
    let mut failures = Vec::new();
    for (rounds, times) in table {
        let (heard, outcome) = answers(rounds);
        if said(&heard) != times {
            failures.push(format!("{rounds:?} was answered with {heard:?}\n{outcome}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
