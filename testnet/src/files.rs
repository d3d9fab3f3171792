//! Files and folders as a whole.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A peer's store within its home.
pub(crate) const DATA: &str = "data";

/// Removes a file, or a folder with all that is in it; nothing if it is not there.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    let removed = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::file(path, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Copies a file, or a folder with all that is in it; nothing if it is not there. Sockets are left.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    if from.is_dir() {
        fs::create_dir_all(to).map_err(|error| Error::file(to, error))?;
        for entry in entries(from)? {
            copy(&entry, &to.join(entry.file_name().unwrap_or_default()))?;
        }
    } else if from.is_file() {
        fs::copy(from, to).map_err(|error| Error::file(from, error))?;
    }
    Ok(())
}

/// What is in a folder, by name.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |error| Error::file(folder, error);
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(failed))
        .collect::<Result<_, _>>()?;
    paths.sort();
    Ok(paths)
}

/// Every file below a folder, by path.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for entry in entries(folder)? {
        if entry.is_dir() {
            files.extend(self::files(&entry)?);
        } else if entry.is_file() {
            files.push(entry);
        }
    }
    Ok(files)
}
