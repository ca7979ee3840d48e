//! The record of a line of releases: everything that deciding code asks of one.

use crate::dynamo::facts::engine::EngineFacts;
use crate::dynamo::facts::router::{OptionFacts, RouterMode};
use crate::dynamo::facts::topology::Topology;
use crate::dynamo::terms::words::{Engine, NetworkMode};

/// A line of releases.
#[derive(Debug, PartialEq)]
pub struct Release {
    /// As people call it, e.g. `1.6`.
    pub line: &'static str,
    /// Exact versions, which are image tags too; oldest first.
    pub versions: &'static [&'static str],
    /// Where images come from, without a slash at the end.
    pub registry: &'static str,
    /// Set on every container of Dynamo's, so that an image's own entrypoint never matters.
    pub entrypoint: &'static [&'static str],
    pub frontend: Frontend,
    pub router_mode_flag: &'static str,
    /// The first is the default.
    pub router_modes: &'static [RouterMode],
    /// In the order in which they are written.
    pub router_options: &'static [OptionFacts],
    pub topologies: &'static [Topology],
    pub engines: &'static [EngineFacts],
    /// Python modules of connectors that the images of this line have for certain. They may have others; images are asked.
    pub image_modules: &'static [&'static str],
    /// Sets the namespace of a process.
    pub namespace_env: &'static str,
    /// Makes a frontend serve all namespaces that begin so. With it, workers that Dynamo would not let serve side by side
    /// (another model, another block size) get a namespace for each such generation, and a change rolls through them
    /// without a gap. `None`: all processes of a deployment share one namespace.
    pub namespace_prefix_flag: Option<&'static str>,
    /// Further environment of the frontend and of workers.
    pub env: &'static [(&'static str, &'static str)],
    /// Variables the provider decides, and what the user should do instead.
    pub reserved_env: &'static [(&'static str, &'static str)],
    /// Where the Hugging Face cache is mounted in containers.
    pub hf_home: &'static str,
    /// Where it lies on a host that says nothing else.
    pub model_cache: &'static str,
    /// Seconds for requests in flight, before a container is killed.
    pub grace: Grace,
}

/// The process that clients talk to.
#[derive(Debug, PartialEq)]
pub struct Frontend {
    pub module: &'static str,
    /// Flags for the address and the port at which it listens.
    pub address_flag: &'static str,
    pub port_flag: &'static str,
    /// Environment that users may change.
    pub defaults: &'static [(&'static str, &'static str)],
    /// In the container, on a private network.
    pub port: u16,
    /// Host name on the private network.
    pub alias: &'static str,
    /// Answers with 200 once it listens, with or without workers. Lists their instances too.
    pub health_path: &'static str,
    /// Lists the models that can be asked for.
    pub models_path: &'static str,
}

/// The seconds that containers have for requests in flight, before they are killed.
#[derive(Debug, PartialEq)]
pub struct Grace {
    pub frontend: u32,
    pub worker: u32,
    pub service: u32,
}

impl Release {
    /// Major and minor number of the line.
    pub fn line_numbers(&self) -> (u16, u16) {
        let mut numbers = self.line.split('.').map(|part| part.parse().unwrap_or_default());
        (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
    }

    /// The router mode of that word, if the release has it.
    pub fn router_mode(&self, word: &str) -> Option<&'static RouterMode> {
        self.router_modes.iter().find(|mode| mode.word == word)
    }

    /// The first row; there is one, as a test holds.
    pub fn default_router_mode(&self) -> &'static RouterMode {
        self.router_modes.first().unwrap_or(&RouterMode { word: "round-robin", kv: false })
    }

    /// `None` when this provider cannot run the engine in this release.
    pub fn engine(&self, engine: Engine) -> Option<&'static EngineFacts> {
        self.engines.iter().find(|facts| facts.engine == engine)
    }

    /// `None` when this provider cannot use the network for this release.
    pub fn topology(&self, network: NetworkMode) -> Option<&'static Topology> {
        self.topologies.iter().find(|row| row.network == network)
    }

    /// The image of an engine in a version of this release.
    pub fn image(&self, engine: &EngineFacts, version: &str) -> String {
        format!("{}/{}:{version}", self.registry, engine.image)
    }
}
