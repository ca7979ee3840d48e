//! The folders of hosts that models of one run are planned for, and the locks on the files in them.

use crate::hosts::sync::keyed_lock::KeyedLock;
use crate::hosts::sync::locked::Locked;
use std::collections::HashMap;
use tokio::sync::OwnedMutexGuard;

/// The folders of hosts that models of this run are planned for, and the locks on the files of a model.
#[derive(Default)]
pub struct ModelFolders {
    /// By host and folder: the model that it is planned for. Two cannot share one.
    planned: Locked<HashMap<(String, String), String>>,
    /// By host and model: two revisions of a model share contents.
    changing: KeyedLock<(String, String)>,
}

impl ModelFolders {
    /// Waits until no other operation changes the files of that model on that host. The lock ends with the result.
    pub async fn lock(&self, host: &str, name: &str) -> OwnedMutexGuard<()> {
        self.changing.lock((host.to_owned(), name.to_owned())).await
    }

    /// Claims a folder of a host for a model. The error is the name of the model that has the folder.
    pub fn claim(&self, host: &str, folder: &str, name: &str) -> Result<(), String> {
        let mut claims = self.planned.lock();
        let holder = claims.entry((host.to_owned(), folder.to_owned())).or_insert_with(|| name.to_owned());
        if holder == name { Ok(()) } else { Err(holder.clone()) }
    }
}
