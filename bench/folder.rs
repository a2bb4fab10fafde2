//! A folder for what servers keep during a run.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Trouble;

/// A folder that is removed when this is dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    /// Makes a folder of this process in `parent`.
    pub fn make(parent: &Path, name: &str) -> Result<Folder, Trouble> {
        let path = parent.join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
