//! What images said of the modules that they have, asked once per host and image.

use crate::container::Mount;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// What images have answered in this run. Clones are the same.
#[derive(Clone, Default)]
pub struct ImageAnswers(Arc<Mutex<HashMap<Question, Answer>>>);

/// The modules that are missing, once somebody has asked.
pub(crate) type Answer = Arc<OnceCell<Vec<String>>>;

/// All that an answer depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub host: String,
    pub image_id: String,
    pub modules: &'static [&'static str],
    pub python: Python,
}

impl ImageAnswers {
    pub(crate) fn of(&self, question: &Question) -> Answer {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(answers.entry(question.clone()).or_default())
    }
}

/// What a worker changes in where Python looks for modules.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct Python {
    pub env: BTreeMap<String, String>,
    /// Folders of the host, read-only. Without variables nobody looks there.
    pub mounts: Vec<Mount>,
}
