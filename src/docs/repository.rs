//! The files: examples in, pages out, and what is different.
//!
//! `docs/` belongs to the generator, so writing also removes what it did not make: a page of a resource that is gone
//! would live on in the registry. For that reason nothing is touched outside of this very repository.

use super::page::Pages;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Pictures, below `docs/`: what people put there stays.
const IMAGES: &str = "images";

/// Why the files cannot be read or written.
#[derive(Debug, thiserror::Error)]
/// The reason why the files cannot be read or written.
pub enum RepositoryError {
    #[error(
        "{root} is not the root of this repository (no Cargo.toml of {package} is there): run the command from the root, \
         for example with `make docs`",
        package = env!("CARGO_PKG_NAME")
    )]
    NotTheRoot { root: PathBuf },
    #[error("{path} cannot be {what}: {cause}")]
    File { path: PathBuf, what: &'static str, cause: io::Error },
}

/// A file that is not what it should be; the path is below `docs/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    Missing(PathBuf),
    Stale(PathBuf),
    Superfluous(PathBuf),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "docs/{} is missing", path.display()),
            Self::Stale(path) => write!(f, "docs/{} is out of date", path.display()),
            Self::Superfluous(path) => write!(f, "docs/{} belongs to nothing", path.display()),
        }
    }
}

impl Difference {
    /// The remedy that [`Repository::write`] applied.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Missing(_) | Self::Stale(_) => "written",
            Self::Superfluous(_) => "removed",
        }
    }
}

/// A checkout of this repository.
#[derive(Clone, Debug)]
pub struct Repository {
    root: PathBuf,
}

impl Repository {
    /// `root` must be the root of a checkout.
    pub fn at(root: impl Into<PathBuf>) -> Result<Self, RepositoryError> {
        let root = root.into();
        let name = format!("name = {:?}", env!("CARGO_PKG_NAME"));
        let ours =
            fs::read_to_string(root.join("Cargo.toml")).is_ok_and(|text| text.lines().any(|it| it == name));
        if ours { Ok(Self { root }) } else { Err(RepositoryError::NotTheRoot { root }) }
    }

    /// A file below `examples/`.
    pub fn example(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.root.join("examples").join(file)).ok()
    }

    /// The differences between `docs/` and `pages`, in the order of paths.
    pub fn differences(&self, pages: &Pages) -> Result<Vec<Difference>, RepositoryError> {
        let mut found = self.files()?;
        let mut differences: BTreeMap<PathBuf, Difference> = BTreeMap::new();
        for (path, page) in pages {
            match found.remove(path) {
                None => differences.insert(path.clone(), Difference::Missing(path.clone())),
                Some(bytes) if bytes != page.as_bytes() => {
                    differences.insert(path.clone(), Difference::Stale(path.clone()))
                }
                Some(_) => None,
            };
        }
        differences.extend(found.into_keys().map(|path| (path.clone(), Difference::Superfluous(path))));
        Ok(differences.into_values().collect())
    }

    /// Makes `docs/` exactly `pages`, and returns what was different.
    pub fn write(&self, pages: &Pages) -> Result<Vec<Difference>, RepositoryError> {
        let differences = self.differences(pages)?;
        for difference in &differences {
            match difference {
                Difference::Superfluous(path) => {
                    let path = self.docs().join(path);
                    fs::remove_file(&path).map_err(failed(&path, "removed"))?;
                }
                Difference::Missing(path) | Difference::Stale(path) => {
                    let page = pages.get(path).map(String::as_str).unwrap_or_default();
                    let path = self.docs().join(path);
                    if let Some(folder) = path.parent() {
                        fs::create_dir_all(folder).map_err(failed(folder, "created"))?;
                    }
                    fs::write(&path, page).map_err(failed(&path, "written"))?;
                }
            }
        }
        Ok(differences)
    }

    fn docs(&self) -> PathBuf {
        self.root.join("docs")
    }

    /// Every file below `docs/`; none when the folder is not there yet.
    fn files(&self) -> Result<BTreeMap<PathBuf, Vec<u8>>, RepositoryError> {
        let docs = self.docs();
        let mut files = BTreeMap::new();
        let mut folders = if docs.exists() { vec![docs.clone()] } else { Vec::new() };
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(failed(&folder, "listed"))? {
                let path = entry.map_err(failed(&folder, "listed"))?.path();
                if path == docs.join(IMAGES) {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let bytes = fs::read(&path).map_err(failed(&path, "read"))?;
                    files.insert(path.strip_prefix(&docs).unwrap_or(&path).to_owned(), bytes);
                }
            }
        }
        Ok(files)
    }
}

fn failed(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> RepositoryError {
    let path = path.to_owned();
    move |cause| RepositoryError::File { path, what, cause }
}
