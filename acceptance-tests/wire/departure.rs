//! Stopping and leaving: when asked, when told, when nobody is left to ask. Rules 13 and 72 to 75.

use std::path::PathBuf;
use std::time::Instant;

use libtest_mimic::Trial;
use rustix::process::Signal;

use super::client::Client;
use super::harness::{Provider, Setup};
use super::peer::Peer;
use super::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("departure_13_debug_mode_serves_session_after_session", debug_mode),
        trial("departure_72_sigint_and_sighup_are_terraforms_to_act_on", group_signals),
        trial("departure_72_sigterm_ends_it_cleanly", sigterm),
        trial("departure_73_stop_is_answered_and_serving_goes_on", stop),
        trial("departure_74_shutdown_twice_leaves_nothing", shutdown),
        trial("departure_75_it_ends_when_its_parent_is_killed", orphan),
        trial("departure_75_a_lost_connection_is_no_reason_to_leave", lost_connection),
    ]
}

async fn debug_mode() {
    for flag in ["-debug", "--debug"] {
        let mut setup = Setup::bare();
        setup.arguments.push(flag.into());
        let process = setup.spawn();
        let variable = loop {
            let line = process.next_line();
            if let Some(value) = line.strip_prefix("TF_REATTACH_PROVIDERS='") {
                break value.trim_end().strip_suffix('\'').unwrap().to_owned();
            }
        };
        let providers: serde_json::Value = serde_json::from_str(&variable).unwrap();
        for registry in ["registry.terraform.io", "registry.opentofu.org"] {
            let reattach = &providers[format!("{registry}/terraform-provider-dynamo/dynamo")];
            assert_eq!(reattach["Pid"], process.id());
            let socket = PathBuf::from(reattach["Addr"]["String"].as_str().unwrap());
            // Two commands in a row, the first of them stopped, and one that asks for the end.
            for _ in 0..2 {
                let mut client = Client::new(Peer::plain(&socket).channel().await.unwrap());
                client.get_schema().await.unwrap();
                assert_eq!(client.stop().await.unwrap(), "");
                client.shutdown().await.unwrap();
            }
        }
        process.signal(Signal::INT);
        let finished = process.finish();
        assert!(
            finished.status.success() && finished.left.is_empty(),
            "{} {:?}",
            finished.status,
            finished.left
        );
    }
}

async fn group_signals() {
    let provider = Provider::start();
    let mut client = provider.client().await;
    for signal in [Signal::INT, Signal::HUP, Signal::INT] {
        provider.process.signal(signal);
        client.get_schema().await.unwrap();
    }
    assert!(provider.shut_down().await.status.success());
}

async fn sigterm() {
    let provider = Provider::start();
    let _connected = provider.client().await;
    provider.process.signal(Signal::TERM);
    let finished = provider.finish().await;
    assert!(finished.status.success() && finished.left.is_empty(), "{} {:?}", finished.status, finished.left);
}

async fn stop() {
    let provider = Provider::start();
    let mut client = provider.client().await;
    let start = Instant::now();
    assert_eq!(client.stop().await.unwrap(), "");
    eprintln!("StopProvider was answered after {:?}", start.elapsed());
    client.get_schema().await.unwrap();
    assert_eq!(client.stop().await.unwrap(), "", "once more does no harm");
}

async fn shutdown() {
    let provider = Provider::start();
    let (mut one, mut other) = (provider.client().await, provider.client().await);
    let idle = provider.peer().raw().await.unwrap();
    let start = Instant::now();
    let (first, second) = tokio::join!(one.shutdown(), other.shutdown());
    // The second may find nobody there any more.
    assert!(first.is_ok() || second.is_ok(), "{first:?} {second:?}");
    let finished = provider.finish().await;
    eprintln!("the process was gone {:?} after Shutdown", start.elapsed());
    drop(idle);
    assert!(finished.status.success() && finished.left.is_empty(), "{} {:?}", finished.status, finished.left);
}

async fn orphan() {
    let mut setup = Setup::terraform();
    setup.under_shell = true;
    let provider = setup.start();
    let mut client = provider.client().await;
    client.get_schema().await.unwrap();
    let start = Instant::now();
    provider.process.signal(Signal::KILL);
    // Its end is the end of the pipe that it shares with the shell.
    let finished = provider.finish().await;
    eprintln!("the process was gone {:?} after its parent", start.elapsed());
    assert_eq!(finished.left, Vec::<PathBuf>::new());
}

async fn lost_connection() {
    let provider = Provider::start();
    for _ in 0..3 {
        provider.client().await.get_schema().await.unwrap();
    }
    assert!(provider.shut_down().await.status.success());
}
