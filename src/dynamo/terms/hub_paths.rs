//! How a Hugging Face cache spells the folders of a model.

/// Name in a cache of the folder of a model: `models--acme--Tiny` of `acme/Tiny`.
pub(crate) fn cache_folder(name: &str) -> String {
    format!("{CACHE_PREFIX}{}", name.replace('/', "--"))
}

pub(crate) const CACHE_PREFIX: &str = "models--";

/// The folder that is looked at for a path of a model: a snapshot's is that of its `models--…`.
pub(crate) fn folder_of(path: &str) -> &str {
    let in_cache = |folder: &str| folder.rsplit('/').next().is_some_and(|last| last.starts_with("models--"));
    path.split_once("/snapshots/").filter(|(folder, _)| in_cache(folder)).map_or(path, |(folder, _)| folder)
}
