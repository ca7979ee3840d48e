//! A host against an Engine of our own: what is asked, how often, and what is made of no answer.

use crate::container::labels;
use crate::hosts::*;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// An Engine with two containers of ours, which writes down what it is asked.
#[derive(Debug, Default)]
struct FakeEngine {
    asked: Arc<Mutex<Vec<String>>>,
    /// So many connections break before one holds.
    breaks: Arc<AtomicU64>,
    /// Takes questions and never answers.
    silent: bool,
}

impl FakeEngine {
    fn answer(path: &str) -> (u16, String) {
        let container = |id: &str| {
            format!(
                r#"{{"Id":"{id}","Name":"/{id}","Image":"sha256:1","State":{{"Status":"running"}},
                "Config":{{"Labels":{{"{}":"{}","{}":"{id}"}}}}}}"#,
                labels::MANAGER,
                labels::MANAGER_VALUE,
                labels::DEPLOYMENT
            )
        };
        match path.split('?').next().unwrap_or_default() {
            "/version" => (200, r#"{"ApiVersion":"1.41","MinAPIVersion":"1.12"}"#.to_owned()),
            "/v1.41/containers/json" => (200, r#"[{"Id":"aa"},{"Id":"bb"},{"Id":"gone"}]"#.to_owned()),
            "/v1.41/containers/aa/json" => (200, container("aa")),
            "/v1.41/containers/bb/json" => (200, container("bb")),
            "/v1.41/containers/foreign/json" => (200, r#"{"Id":"ff","Name":"/foreign"}"#.to_owned()),
            "/v1.41/images/sha256:1/json" => (200, r#"{"Id":"sha256:1"}"#.to_owned()),
            "/v1.41/containers/aa/rename" => (204, String::new()),
            path => (404, format!(r#"{{"message":"No such container: {path}"}}"#)),
        }
    }
}

#[async_trait::async_trait]
impl Transport for FakeEngine {
    async fn engine(&self) -> Result<Stream, Cause> {
        let (ours, mut theirs) = tokio::io::duplex(1 << 16);
        let counted =
            self.breaks.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if counted.is_ok() {
            return Ok(Box::new(ours));
        }
        let (asked, silent) = (Arc::clone(&self.asked), self.silent);
        tokio::spawn(async move {
            let mut request = vec![0; 1 << 16];
            let length = theirs.read(&mut request).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let path = request.split_whitespace().nth(1).unwrap_or_default().to_owned();
            asked.lock().unwrap().push(path.clone());
            if silent {
                return std::future::pending().await;
            }
            let (status, body) = Self::answer(&path);
            let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n", body.len());
            theirs.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        });
        Ok(Box::new(ours))
    }

    async fn tcp(&self, _: &str, _: u16) -> std::io::Result<Stream> {
        Err(std::io::ErrorKind::ConnectionRefused.into())
    }

    async fn path_exists(&self, _: &Path, _: &str) -> Option<bool> {
        None
    }

    async fn listening(&self, _: &str) -> Option<Vec<ListeningSocket>> {
        Some(vec![ListeningSocket { address: IpAddr::from([127, 0, 0, 1]), port: 1, process: None }])
    }
}

fn host(engine: FakeEngine) -> (Host, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::clone(&engine.asked);
    (Host::new("gpu-a", Arc::new(engine), BTreeMap::new()), asked)
}

fn count(asked: &Mutex<Vec<String>>, part: &str) -> usize {
    asked.lock().unwrap().iter().filter(|path| path.contains(part)).count()
}

#[tokio::test]
async fn ten_readers_at_once_cost_one_look() {
    let (host, asked) = host(FakeEngine::default());
    let readers = (0..10).map(|_| host.observe(&Filter::Ours, Age::Walk));
    let seen = futures_util::future::try_join_all(readers).await.unwrap();
    assert!(seen.iter().all(|containers| containers.len() == 2), "one vanished between list and inspect");
    let one = Filter::Deployment("bb".into());
    assert_eq!(host.observe(&one, Age::Walk).await.unwrap()[0].id, "bb");
    let once = ["/version", "/containers/json", "/aa/json", "/bb/json", "/images/"];
    for part in once {
        assert_eq!(count(&asked, part), 1, "{part}");
    }
}

#[tokio::test]
async fn who_is_about_to_change_something_asks_anew_and_for_that_alone() {
    let (host, asked) = host(FakeEngine::default());
    let names = Filter::Names(vec!["aa".into(), "foreign".into(), "gone".into()]);
    for times in [1, 2] {
        let seen = host.observe(&names, Age::Now).await.unwrap();
        assert_eq!(seen.iter().map(|it| it.spec.name.as_str()).collect::<Vec<_>>(), ["aa"]);
        assert_eq!(count(&asked, "/aa/json"), times);
    }
    assert_eq!((count(&asked, "/containers/json"), count(&asked, "/bb/json")), (0, 0));
    host.observe(&Filter::Deployment("bb".into()), Age::Now).await.unwrap();
    assert!(asked.lock().unwrap().iter().any(|path| path.contains("deployment%3Dbb")), "{asked:?}");
}

#[tokio::test]
async fn a_change_of_ours_is_seen_at_once() {
    let (host, asked) = host(FakeEngine::default());
    host.observe(&Filter::Ours, Age::Walk).await.unwrap();
    host.rename("aa", "cc").await.unwrap();
    host.observe(&Filter::Ours, Age::Walk).await.unwrap();
    assert_eq!(count(&asked, "/containers/json"), 2);
}

#[tokio::test(start_paused = true)]
async fn questions_survive_a_broken_connection_and_changes_are_not_repeated() {
    let engine = FakeEngine::default();
    let breaks = Arc::clone(&engine.breaks);
    let (host, asked) = host(engine);
    breaks.store(2, Ordering::SeqCst);
    assert!(host.inspect("aa").await.unwrap().is_some());
    breaks.store(1, Ordering::SeqCst);
    let error = host.rename("aa", "cc").await.unwrap_err();
    assert!(matches!(error.cause, Cause::Connection { .. }), "{error}");
    assert_eq!(count(&asked, "/rename"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_does_not_answer_is_called_silent() {
    let (host, _) = host(FakeEngine { silent: true, ..FakeEngine::default() });
    let error = host.inspect("aa").await.unwrap_err();
    assert_eq!(error.cause, Cause::EngineSilent { seconds: docker::READ.deadline.as_secs() });
    assert!(error.to_string().starts_with("could not reach Docker on host \"gpu-a\""), "{error}");
}

#[tokio::test]
async fn what_is_not_there_is_an_answer() {
    let (host, _) = host(FakeEngine::default());
    assert_eq!(host.inspect("nothing").await.unwrap(), None);
    assert_eq!(host.image("nothing").await.unwrap(), None);
    host.stop("nothing", 1).await.unwrap();
    host.remove("nothing").await.unwrap();
}

#[tokio::test]
async fn containers_of_one_network_take_turns_and_networks_do_not_wait_for_each_other() {
    use futures_util::FutureExt;
    let (host, _) = host(FakeEngine::default());
    let first = host.lock_network("chat").await;
    assert!(host.lock_network("other").now_or_never().is_some());
    assert!(host.clone().lock_network("chat").now_or_never().is_none());
    drop(first);
    assert!(host.lock_network("chat").now_or_never().is_some());
}
