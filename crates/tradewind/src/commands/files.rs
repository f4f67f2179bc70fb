//! Files that a command is told to read and to write: what it writes is none of the others.

use crate::output::Failure;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What names a file, such as an option, and the file, if it was named.
pub(super) type Named<'a> = (&'static str, Option<&'a Path>);

/// Refuses to write over a file that is read, or written for something else, under whichever name: another path, a
/// symbolic link or a hard one. To be asked before any of them is opened.
///
/// # Errors
/// `CLI-05` with what would overwrite, and what else names the same file.
pub(super) fn keep_apart(read: &[Named<'_>], written: &[Named<'_>]) -> Result<(), Failure> {
    for (nth, (output, path)) in written.iter().enumerate() {
        let Some(path) = path else { continue };
        let mut others = read.iter().chain(&written[..nth]);
        let same = others.find(|(_, other)| other.is_some_and(|other| is_same(path, other)));
        if let Some((other, _)) = same {
            let message =
                format!("{output} `{}` is the same file as {other}, which it would overwrite", path.display());
            return Err(Failure::new("CLI-05", message, format!("name another file for {output}")));
        }
    }
    Ok(())
}

/// Whether both lead to one file that keeps what is written: devices and pipes do not.
fn is_same(one: &Path, other: &Path) -> bool {
    match (std::fs::metadata(one), std::fs::metadata(other)) {
        (Ok(one), Ok(other)) => one.is_file() && (one.dev(), one.ino()) == (other.dev(), other.ino()),
        (Err(_), Err(_)) => place(one) == place(other), // neither is there yet
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
    }
}

/// Where a file will be that is not there yet, also by a link to it.
fn place(path: &Path) -> PathBuf {
    let path = match std::fs::read_link(path) {
        Ok(to) => path.parent().unwrap_or(Path::new("")).join(to),
        Err(_) => path.to_owned(),
    };
    let path = std::path::absolute(&path).unwrap_or(path);
    let folder = path.parent().and_then(|folder| std::fs::canonicalize(folder).ok());
    match (folder, path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path, // its folder is not there either
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_under_each_of_its_names() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("bars.csv"), "x").unwrap();
        std::fs::write(at("equal.csv"), "x").unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        std::fs::hard_link(at("bars.csv"), at("hard")).unwrap();
        std::os::unix::fs::symlink(at("bars.csv"), at("soft")).unwrap();
        std::os::unix::fs::symlink(at("folder"), at("way")).unwrap();
        std::os::unix::fs::symlink(at("new"), at("to new")).unwrap();
        std::os::unix::fs::symlink("new", at("beside new")).unwrap();
        for (one, other, same) in [
            ("bars.csv", "bars.csv", true),
            ("bars.csv", "folder/../bars.csv", true),
            ("bars.csv", "hard", true),
            ("soft", "hard", true),
            ("bars.csv", "equal.csv", false),
            ("bars.csv", "new", false),
            ("new", "new", true),
            ("new", "to new", true),
            ("beside new", "to new", true),
            ("beside new", "other", false),
            ("folder/new", "way/new", true),
            ("folder/new", "new", false),
            ("nowhere/new", "nowhere/new", true),
        ] {
            assert_eq!(is_same(&at(one), &at(other)), same, "{one} and {other}");
        }
        assert!(!is_same(Path::new("/dev/null"), Path::new("/dev/null")), "nothing is lost there");
    }

    #[test]
    fn an_output_is_held_against_what_is_read_and_the_outputs_before_it() {
        let path = |name: &'static str| Some(Path::new(name));
        let read = [("--data", path("a")), ("--funding", None)];
        assert!(keep_apart(&read, &[("--report", path("b")), ("--events", None)]).is_ok());
        for (report, events, said) in [
            ("a", "c", "--report `a` is the same file as --data, which it would overwrite"),
            ("b", "./a", "--events `./a` is the same file as --data, which it would overwrite"),
            ("b", "b", "--events `b` is the same file as --report, which it would overwrite"),
        ] {
            let failure = keep_apart(&read, &[("--report", path(report)), ("--events", path(events))]).unwrap_err();
            assert_eq!((failure.code.as_str(), failure.message.as_str()), ("CLI-05", said));
        }
    }
}
