//! Reading the images of an engine.

use super::model;
use super::model::Sources;
use super::schema::{ABOUT, ImagesModel};
use crate::dynamo::facts::release;
use crate::dynamo::terms::words::Engine;
use crate::hosts::HostError;
use crate::provider::attributes::convert;
use crate::provider::session::Client;
use crate::tf_provider::attr::Attr;
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::provider::{About, Applied, Call, DataSource, shown};
use crate::tf_provider::value::Path;
use async_trait::async_trait;

/// The data source `dynamo_images`.
pub(crate) struct Images;

#[async_trait]
impl DataSource for Images {
    type Model = ImagesModel;
    type Client = Client;

    fn about(&self) -> About {
        ABOUT
    }

    async fn read(
        &self,
        call: &Call<Client>,
        mut config: ImagesModel,
    ) -> Result<Applied<ImagesModel>, Diagnostics> {
        let host = call.client.host_to_read(&mut config.host)?.host;
        let (repository, known) = meant(&config)?;
        let failed = |at: &'static str| {
            move |error: HostError| Diagnostic::from_error("Unable to read images", &error).at(Path::of(at))
        };
        let local = host.images().await.map_err(failed("host"))?;
        let registry = match config.registry.known() {
            Some(true) => Some(match host.registry_tags(&repository).await {
                // Many registries answer without a login.
                Err(error) if !call.client.logins_known => return Err(login_to_come(&error).into()),
                asked => asked.map_err(failed("registry"))?,
            }),
            _ => None,
        };
        let sources =
            Sources { repository: &repository, known: &known, local: &local, registry: registry.as_deref() };
        let only = config.dynamo_version.known().map(String::as_str);
        config.images = convert::list(model::rows(&sources, only));
        config.host = convert::text(host.name());
        config.repository = Attr::Known(repository);
        Ok(config.into())
    }
}

fn login_to_come(error: &HostError) -> Diagnostic {
    let detail = format!(
        "The provider's registry_auth depends on something that is not known before it is applied, and a data source reads \
         while planning. Apply what it depends on first, for example with -target. Without the login: {error}"
    );
    Diagnostic::error("The login is not known yet", detail).at(Path::of("registry"))
}

/// The repository and the versions of it that can be run.
fn meant(config: &ImagesModel) -> Result<(String, std::collections::BTreeSet<String>), Diagnostic> {
    let word = shown(&config.engine);
    let own = Engine::parse(word).and_then(|engine| {
        let repository = model::repository(release::ALL, engine)?;
        Some((repository, model::known_versions(release::ALL, engine)))
    });
    match (config.repository.known(), own) {
        (Some(given), own) => Ok((given.clone(), own.map(|(_, known)| known).unwrap_or_default())),
        (None, Some(own)) => Ok(own),
        (None, None) => {
            let detail = format!(
                "This version of the provider cannot run engine {word:?} and does not know where its images come from. Set \
                 repository, or choose another engine."
            );
            Err(Diagnostic::error("Unknown repository", detail).at(Path::of("engine")))
        }
    }
}
