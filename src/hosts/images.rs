//! Images: is one there, and getting one there.
//!
//! Inference images weigh tens of gigabytes. A pull may take an hour and be healthy, so it has no total deadline: what
//! counts is whether anything still moves.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bollard::models::CreateImageInfo;
use bollard::query_parameters::ListImagesOptions;

use super::host::{FOR_EVER, Host, WALK};
use super::registry_auth::registry_of;
use crate::hosts::docker::pull::RegistryLogin;
use crate::hosts::docker::{Engine, translate};
use crate::hosts::error::{Cause, HostError};
use crate::inventory::{ImageFacts, LocalImage};

/// A pull without any news for this long has failed. Generous: while a layer of 10 GB is checked, nothing is said.
const STALL: Duration = Duration::from_secs(300);

/// Layers of one image; Docker makes none with more than 127.
const MOST_LAYERS: usize = 10_000;

/// The progress of a pull. Totals grow while layers are discovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct PullProgress {
    pub layers_done: usize,
    pub layers: usize,
    pub bytes_done: u64,
    pub bytes: u64,
}

impl Host {
    /// Facts of an image on the host (a reference or an id); `None` when it is not there.
    pub async fn image(&self, reference: &str) -> Result<Option<ImageFacts>, HostError> {
        let answer = self
            .ask("inspect", &format!("image {reference}"), |docker| async move {
                docker.inspect_image(reference).await
            })
            .await;
        match answer {
            Ok(raw) => Ok(Some(translate::image_facts(raw))),
            Err(error) if matches!(error.cause, Cause::NotFound { .. } | Cause::ImageMissing { .. }) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// As [`Host::image`], shared by a walk: what many ask for in one refresh is looked up once.
    pub async fn image_lately(&self, reference: &str) -> Result<Option<ImageFacts>, HostError> {
        self.0.images.of(reference).share(WALK, self.generation(), || self.image(reference)).await
    }

    /// As [`Host::image`], for an image id: what an id stands for never changes, so it is asked once.
    pub(super) async fn image_facts_of(&self, id: &str) -> Result<Option<ImageFacts>, HostError> {
        self.0.image_facts.of(id).share(FOR_EVER, 0, || self.image(id)).await
    }

    /// Downloads an image from its registry. Dropping the future ends the download; layers that are complete stay.
    pub async fn pull(
        &self,
        reference: &str,
        progress: &(dyn Fn(PullProgress) + Send + Sync),
    ) -> Result<(), HostError> {
        let engine = self.engine().await?;
        let pulled = self.download(&engine, reference, progress).await;
        self.0.generation.fetch_add(1, Ordering::SeqCst);
        pulled.map_err(|cause| self.error(&format!("pull image {reference}"), cause))
    }

    /// What is on the host, one request for all of it.
    pub async fn images(&self) -> Result<Vec<LocalImage>, HostError> {
        let listed =
            self.ask("list", "images", |docker| async move {
                docker.list_images(None::<ListImagesOptions>).await
            })
            .await?;
        Ok(listed.into_iter().map(translate::local_image).collect())
    }

    async fn download(
        &self,
        engine: &Engine,
        reference: &str,
        progress: &(dyn Fn(PullProgress) + Send + Sync),
    ) -> Result<(), Cause> {
        let stalled = |_| Cause::PullStalled { seconds: STALL.as_secs() };
        let registry = registry_of(reference);
        let login = self.0.registry_auth.credentials_of(&registry).map(|known| RegistryLogin {
            registry: &registry,
            username: &known.username,
            password: known.password.reveal(),
        });
        let image = with_tag(reference);
        let begun = tokio::time::timeout(STALL, engine.pull(&image, login)).await;
        let mut news = begun.map_err(stalled)??;
        let mut layers = Layers::default();
        while let Some(news) = tokio::time::timeout(STALL, news.next()).await.map_err(stalled)?? {
            layers.note(&news)?;
            progress(layers.progress());
        }
        Ok(())
    }
}

/// Without a tag the Engine would pull every tag there is.
fn with_tag(reference: &str) -> String {
    let last = reference.rsplit('/').next().unwrap_or(reference);
    if last.contains([':', '@']) { reference.to_owned() } else { format!("{reference}:latest") }
}

/// What is known about each layer of a pull.
#[derive(Default)]
struct Layers(HashMap<String, Layer>);

#[derive(Clone, Copy, Default)]
struct Layer {
    bytes_done: u64,
    bytes: u64,
    done: bool,
}

impl Layers {
    fn note(&mut self, news: &CreateImageInfo) -> Result<(), Cause> {
        let (Some(id), Some(status)) = (&news.id, news.status.as_deref()) else { return Ok(()) };
        // The first line names the tag where others name a layer.
        if status.starts_with("Pulling from") {
            return Ok(());
        }
        if !self.0.contains_key(id) && self.0.len() >= MOST_LAYERS {
            let text = format!("more than {MOST_LAYERS} layers of one image");
            return Err(Cause::RegistryOdd { text });
        }
        let layer = self.0.entry(id.clone()).or_default();
        match status {
            "Downloading" => {
                let detail = news.progress_detail.clone().unwrap_or_default();
                let bytes = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok());
                layer.bytes_done = bytes(detail.current).unwrap_or(layer.bytes_done);
                layer.bytes = bytes(detail.total).unwrap_or(layer.bytes);
            }
            "Download complete" => layer.bytes_done = layer.bytes,
            "Pull complete" | "Already exists" => {
                *layer = Layer { done: true, bytes_done: layer.bytes, ..*layer }
            }
            _ => {}
        }
        Ok(())
    }

    fn progress(&self) -> PullProgress {
        self.0.values().fold(PullProgress::default(), |sum, layer| PullProgress {
            layers_done: sum.layers_done + usize::from(layer.done),
            layers: sum.layers + 1,
            bytes_done: sum.bytes_done.saturating_add(layer.bytes_done),
            bytes: sum.bytes.saturating_add(layer.bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_without_a_tag_means_latest() {
        let table = [
            ("busybox", "busybox:latest"),
            ("busybox:1", "busybox:1"),
            ("host:5000/x", "host:5000/x:latest"),
            ("x@sha256:ab", "x@sha256:ab"),
        ];
        for (given, meant) in table {
            assert_eq!(with_tag(given), meant);
        }
    }

    #[test]
    fn progress_adds_up_over_layers() {
        let lines = r#"
            {"status":"Pulling from library/x","id":"1"}
            {"status":"Already exists","progressDetail":{},"id":"aa"}
            {"status":"Downloading","progressDetail":{"current":10,"total":100},"id":"bb"}
            {"status":"Downloading","progressDetail":{"current":50,"total":100},"id":"bb"}
            {"status":"Downloading","progressDetail":{"current":7,"total":70},"id":"cc"}
            {"status":"Download complete","progressDetail":{},"id":"bb"}
            {"status":"Pull complete","progressDetail":{},"id":"bb"}
            {"status":"Digest: sha256:0"}"#;
        let mut layers = Layers::default();
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            layers.note(&serde_json::from_str(line).unwrap()).unwrap();
        }
        assert_eq!(
            layers.progress(),
            PullProgress { layers_done: 2, layers: 3, bytes_done: 107, bytes: 170 }
        );
    }
}
