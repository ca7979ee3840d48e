//! Which folders of a host were planned for which model, and who is filling one now.

use crate::hosts::sync::keyed_lock::KeyedLock;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// Which folder of which host was planned for which model: two cannot share one. And whose turn it is to change the files of
/// a model on a host: two revisions of it share contents.
#[derive(Default)]
pub struct ModelFolders(Mutex<HashMap<(String, String), String>>, KeyedLock<(String, String)>);

impl ModelFolders {
    /// Ends when the result is dropped.
    pub async fn turn(&self, host: &str, name: &str) -> OwnedMutexGuard<()> {
        self.1.lock((host.to_owned(), name.to_owned())).await
    }

    /// The error is the name of the model that has the folder.
    pub fn claim(&self, host: &str, folder: &str, name: &str) -> Result<(), String> {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let holder = claims.entry((host.to_owned(), folder.to_owned())).or_insert_with(|| name.to_owned());
        if holder == name { Ok(()) } else { Err(holder.clone()) }
    }
}
