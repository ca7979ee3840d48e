//! Where the model of a deployment or worker comes from: the attributes `model_source` and `model_path`.
//!
//! The plan does not say it of a model of the hub that is new to the host: what is made in the same run may bring it
//! there first, and a plan that was wrong is worse than one that says "known after apply". Apply looks, and what it found
//! stays in the state, so that a refresh neither asks again nor changes its mind.

use crate::dynamo::facts::engine::EngineFacts;
use crate::dynamo::facts::release;
use crate::dynamo::facts::release::Release;
use crate::dynamo::models::place;
use crate::dynamo::spec::HostFacts;
use crate::dynamo::spec::model::{ModelPlace, ModelRef};
use crate::dynamo::terms::words::Engine;
use crate::provider::machine::Machine;
use crate::tf_provider::attr::Attr;

const LOCAL: &str = "local";
const DOWNLOAD: &str = "download";

/// What decides it, as a resource has it.
#[derive(Clone, Debug, Default, PartialEq)]
/// The attributes that decide where a model comes from, as a resource has them.
pub(crate) struct ModelSource {
    pub model: Attr<String>,
    pub engine: Attr<String>,
    pub dynamo_version: Attr<String>,
    pub source: Attr<String>,
    pub path: Attr<String>,
}

impl ModelSource {
    fn model(&self) -> Option<ModelRef> {
        self.model.known().and_then(|text| ModelRef::parse(text).ok())
    }

    fn release(&self) -> Option<&'static Release> {
        let version = self.dynamo_version.known().map_or(release::newest(), String::as_str);
        release::find(release::ALL, version).ok().map(|(release, _)| release)
    }

    fn needs_weights(&self, release: &Release) -> bool {
        let engine = self.engine.known().and_then(|word| Engine::parse(word));
        engine.and_then(|engine| release.engine(engine)).is_none_or(EngineFacts::needs_weights)
    }

    /// Fills in what is known without a look. `model_cache` is the host's, null for the release's. `before`: what the
    /// state has, if the resource exists.
    pub(crate) fn derive(&mut self, before: Option<&Self>, model_cache: &Attr<String>) {
        let Some(model) = self.model() else {
            (self.source, self.path) = (Attr::Unknown, Attr::Unknown);
            return;
        };
        if let ModelRef::Path(path) = &model {
            (self.source, self.path) = (LOCAL.into(), path.as_str().into());
            return;
        }
        match before.filter(|before| before.model == self.model) {
            Some(before) => (self.source, self.path) = (before.source.clone(), before.path.clone()),
            None => (self.source, self.path) = (Attr::Unknown, Attr::Unknown),
        }
        let cache = self.cache(model_cache);
        if self.source == DOWNLOAD.into() && !cache.is_unknown() {
            self.path = cache;
        }
    }

    fn cache(&self, model_cache: &Attr<String>) -> Attr<String> {
        match model_cache {
            Attr::Null => self.release().map_or(Attr::Unknown, |release| release.model_cache.into()),
            given => given.clone(),
        }
    }

    /// Looks on the host where it is not decided yet.
    pub(crate) async fn decide(&mut self, machine: &Machine) {
        if !self.source.is_unknown() {
            return;
        }
        (self.source, self.path) = match self.find(machine).await {
            Some(place) => (LOCAL.into(), place.path().into()),
            None => (DOWNLOAD.into(), self.cache(machine.model_cache())),
        };
    }

    /// What cannot be looked through is no copy: then it is downloaded, as it would be without this.
    async fn find(&self, machine: &Machine) -> Option<ModelPlace> {
        let (model, release) = (self.model()?, self.release()?);
        if matches!(model, ModelRef::Path(_)) {
            return None;
        }
        match machine.model_trees().await {
            Ok(trees) => place::find(&model, &trees, release, self.needs_weights(release)),
            Err(error) => {
                tracing::warn!(%error, model = model.argument(), "the host's copies of the model cannot be seen");
                None
            }
        }
    }

    /// The facts of the host with the copy that is used.
    pub(crate) fn known_to(&self, facts: &HostFacts) -> HostFacts {
        let local = self.source == LOCAL.into();
        let place = self.model().zip(self.path.known().filter(|_| local));
        let place = place.and_then(|(model, path)| ModelPlace::of_path(&model, path));
        HostFacts { model_place: place, ..facts.clone() }
    }

    /// The facts as [`ModelSource::known_to`], for a plan: with the copy that there is now, where it is not decided yet.
    pub(crate) async fn expected_by(&self, machine: &Machine, facts: &HostFacts) -> HostFacts {
        let mut now = self.clone();
        now.decide(machine).await;
        now.known_to(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(model: &str, source: Attr<String>, path: Attr<String>) -> ModelSource {
        ModelSource { model: model.into(), source, path, ..ModelSource::default() }
    }

    fn open(model: &str) -> ModelSource {
        of(model, Attr::Unknown, Attr::Unknown)
    }

    #[test]
    fn a_path_is_known_and_a_name_is_not_before_somebody_looked() {
        let cache = "/data/hf".into();
        let mut path = open("/data/llama");
        path.derive(None, &cache);
        assert_eq!(path, of("/data/llama", "local".into(), "/data/llama".into()));
        let mut name = open("acme/Tiny");
        name.derive(None, &cache);
        assert_eq!(name, open("acme/Tiny"));
        let mut unknown = ModelSource { model: Attr::Unknown, ..of("", "local".into(), "/x".into()) };
        unknown.derive(None, &cache);
        assert!(unknown.source.is_unknown() && unknown.path.is_unknown());
    }

    #[test]
    fn what_was_decided_stays_as_long_as_the_model_does() {
        let place = "/hf/hub/models--acme--Tiny";
        for (before, cache, after) in [
            (of("a/b", "download".into(), "/old".into()), "/new".into(), ("download", "/new".into())),
            (of("a/b", "download".into(), "/old".into()), Attr::Unknown, ("download", "/old".into())),
            (
                of("a/b", "download".into(), "/old".into()),
                Attr::Null,
                ("download", Attr::from("/var/lib/dynamo/huggingface")),
            ),
            (of("a/b", "local".into(), place.into()), "/new".into(), ("local", place.into())),
        ] {
            let mut planned = open("a/b");
            planned.derive(Some(&before), &cache);
            assert_eq!((&planned.source, &planned.path), (&after.0.into(), &after.1), "{before:?}");
            let mut other = open("a/c");
            other.derive(Some(&before), &cache);
            assert_eq!(other, open("a/c"), "another model is looked for anew");
        }
    }

    #[test]
    fn only_a_local_copy_is_a_place() {
        let facts = HostFacts::default();
        let place = |source: &str, path: &str| {
            of("acme/Tiny", source.into(), path.into()).known_to(&facts).model_place
        };
        assert_eq!(place("download", "/hf"), None);
        assert_eq!(place("local", "/m/acme/Tiny"), Some(ModelPlace::Folder("/m/acme/Tiny".into())));
        assert_eq!(of("/m/x", "local".into(), "/m/x".into()).known_to(&facts).model_place, None);
    }
}
