//! What is made again only where something that it is made of has changed.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use crate::{Result, npm};

/// The files that `make` made of these files and folders, the last time or now. The stamp is where that is written down.
pub(crate) fn made(stamp: &Path, of: &[PathBuf], make: impl FnOnce() -> Result<Vec<PathBuf>>) -> Result<Vec<PathBuf>> {
    let digest = digest(of)?;
    if let Some(files) = last_time(stamp, &digest) {
        return Ok(files);
    }
    let _ = fs::remove_file(stamp); // there may be none; what is half made is not made
    let files = make()?;
    let lines: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    npm::write(stamp, &format!("{digest}\n{}", lines.join("\n")))?;
    Ok(files)
}

fn last_time(stamp: &Path, digest: &str) -> Option<Vec<PathBuf>> {
    let text = fs::read_to_string(stamp).ok()?;
    let files: Vec<PathBuf> = text.strip_prefix(digest)?.lines().skip(1).map(PathBuf::from).collect();
    files.iter().all(|file| file.exists()).then_some(files)
}

/// Of names and contents: what a checkout says of times is nothing to go by.
fn digest(of: &[PathBuf]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for path in of {
        let files = if path.is_dir() { npm::files(path, "")? } else { vec![path.clone()] };
        for file in files {
            let bytes = fs::read(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
            (file, bytes).hash(&mut hasher);
        }
    }
    Ok(format!("{:016x}", hasher.finish()))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use super::made;

    #[test]
    fn what_is_there_and_made_of_the_same_is_not_made_again() {
        let folder = std::env::temp_dir().join(format!("cardseal-fresh-{}", std::process::id()));
        let (source, product, stamp) = (folder.join("sources/a"), folder.join("product"), folder.join("stamp"));
        fs::create_dir_all(folder.join("sources")).unwrap();
        let times = Cell::new(0);
        let make = || {
            made(&stamp, &[folder.join("sources")], || {
                times.set(times.get() + 1);
                fs::write(&product, "made").unwrap();
                Ok(vec![product.clone()])
            })
        };
        fs::write(&source, "one").unwrap();
        for _ in 0..2 {
            assert_eq!(make().unwrap(), std::slice::from_ref(&product));
        }
        assert_eq!(times.get(), 1);
        fs::write(&source, "two").unwrap();
        make().unwrap();
        assert_eq!(times.get(), 2, "the source has changed");
        fs::remove_file(&product).unwrap();
        make().unwrap();
        assert_eq!(times.get(), 3, "the product is gone");
        fs::remove_dir_all(folder).unwrap();
    }
}
