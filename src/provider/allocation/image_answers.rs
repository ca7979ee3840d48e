//! What images said of the modules that they have, asked once per host and image.

use crate::container::Mount;
use crate::hosts::sync::locked::Locked;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// The answers of images in this run. Clones are the same.
#[derive(Clone, Default)]
pub struct ImageAnswers(Arc<Locked<HashMap<Question, Answer>>>);

/// The modules that an image lacks, once it was asked.
pub(crate) type Answer = Arc<OnceCell<Vec<String>>>;

/// The question to an image: all that its answer depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub host: String,
    pub image_id: String,
    pub modules: &'static [&'static str],
    pub python: Python,
}

impl ImageAnswers {
    /// The answer to a question, empty until the first asker fills it.
    pub(crate) fn of(&self, question: &Question) -> Answer {
        let mut answers = self.0.lock();
        Arc::clone(answers.entry(question.clone()).or_default())
    }
}

/// The changes of a worker to the places where Python looks for modules.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct Python {
    pub env: BTreeMap<String, String>,
    /// Folders of the host, read-only. Without variables nobody looks there.
    pub mounts: Vec<Mount>,
}
