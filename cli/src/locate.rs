//! Where linsock's headers and C library lie.

use std::env;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A place that may hold linsock: the paths to try for each half, best first.
#[derive(Debug, PartialEq)]
struct Layout {
    headers: Vec<PathBuf>,
    libraries: Vec<PathBuf>,
}

impl Layout {
    /// What `LINSOCK_HOME` names: an unpacked release, or the prefix of an installation.
    fn home(home: &Path) -> Self {
        let mut layout = Self::prefix(home);
        layout.headers.push(home.join("include"));
        layout.libraries.push(home.join("lib/liblinsock_c.a"));
        layout
    }

    /// An installation, as in `/usr/local`. Its bare `include` holds everybody's headers.
    fn prefix(prefix: &Path) -> Self {
        Self {
            headers: vec![prefix.join("include/linsock")],
            libraries: vec![
                prefix.join("lib/linsock/liblinsock_c.a"),
                prefix.join("lib/liblinsock.a"),
            ],
        }
    }

    /// The source tree: cargo leaves the library of a dependency in `deps` beside the command.
    fn build_tree(directory: &Path, sources: &Path) -> Self {
        Self {
            headers: vec![sources.join("include")],
            libraries: vec![directory.join("deps/liblinsock_c.a")],
        }
    }
}

/// The headers that were found, and the library, which only linking needs.
#[derive(Debug)]
pub(crate) struct Installation {
    headers: PathBuf,
    libraries: Vec<PathBuf>,
}

impl Installation {
    /// Looks in `LINSOCK_HOME` or else beside the executable and in the tree it was built from.
    pub(crate) fn find() -> Result<Self, Error> {
        let home = env::var_os("LINSOCK_HOME").filter(|home| !home.is_empty());
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        Self::choose(layouts(home.as_deref().map(Path::new), env::current_exe().ok(), &sources))
    }

    /// What was installed in a prefix.
    pub(crate) fn at_prefix(prefix: &Path) -> Result<Self, Error> {
        Self::choose(vec![Layout::prefix(prefix)])
    }

    /// Both halves come from the same layout: a mixture of versions would be worse than none.
    fn choose(layouts: Vec<Layout>) -> Result<Self, Error> {
        let mut looked = Vec::new();
        for Layout { headers, libraries } in layouts {
            if let Some(headers) = headers.iter().find(|path| path.join("winsock2.h").is_file()) {
                return Ok(Self { headers: headers.clone(), libraries });
            }
            looked.extend(headers);
        }
        Err(Error::NoHeaders { looked })
    }

    /// What `LINSOCK_HOME` would find.
    #[cfg(test)]
    pub(crate) fn at_home(home: &Path) -> Result<Self, Error> {
        Self::choose(layouts(Some(home), None, Path::new("")))
    }

    pub(crate) fn headers(&self) -> &Path {
        &self.headers
    }

    pub(crate) fn library(&self) -> Result<&Path, Error> {
        let found = self.libraries.iter().find(|path| path.is_file());
        found
            .map(PathBuf::as_path)
            .ok_or_else(|| Error::NoLibrary { looked: self.libraries.clone() })
    }
}

/// Whoever sets `LINSOCK_HOME` means it: nothing else is tried then.
fn layouts(home: Option<&Path>, executable: Option<PathBuf>, sources: &Path) -> Vec<Layout> {
    if let Some(home) = home {
        return vec![Layout::home(home)];
    }
    // The tree's headers are there at build time; a user who installed the command may lack them.
    let sources = sources.canonicalize().unwrap_or_else(|_| sources.to_path_buf());
    let directory = executable.as_deref().and_then(Path::parent).unwrap_or_else(|| Path::new(""));
    let mut layouts = Vec::new();
    if let Some(prefix) = directory.parent() {
        layouts.push(Layout::prefix(prefix));
    }
    layouts.push(Layout::build_tree(directory, &sources));
    layouts
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn touch(root: &Path, files: &[&str]) {
        for file in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
    }

    /// Each row: the files that exist, whether LINSOCK_HOME is set, the headers and the library.
    #[test]
    fn every_layout_is_found_in_its_order() {
        const HOME: [&str; 2] = ["home/include/winsock2.h", "home/lib/liblinsock_c.a"];
        const INSTALLED: [&str; 2] =
            ["usr/include/linsock/winsock2.h", "usr/lib/linsock/liblinsock_c.a"];
        const TREE: [&str; 2] = ["tree/include/winsock2.h", "usr/bin/deps/liblinsock_c.a"];
        type Row<'a> = (Vec<&'a str>, bool, [&'a str; 2]);
        let rows: [Row<'_>; 6] = [
            ([HOME, INSTALLED, TREE].concat(), true, HOME),
            ([HOME, INSTALLED, TREE].concat(), false, INSTALLED),
            (TREE.to_vec(), false, TREE),
            (
                vec![INSTALLED[0], "usr/lib/liblinsock.a"],
                false,
                [INSTALLED[0], "usr/lib/liblinsock.a"],
            ),
            (
                vec!["home/include/linsock/winsock2.h", "home/lib/liblinsock.a"],
                true,
                ["home/include/linsock/winsock2.h", "home/lib/liblinsock.a"],
            ),
            // Strangers' headers in a shared include directory are not ours.
            ([&TREE[..], &["usr/include/winsock2.h"]].concat(), false, TREE),
        ];
        for (files, has_home, [header, library]) in rows {
            let root = tempfile::tempdir().unwrap();
            let root = root.path().canonicalize().unwrap();
            touch(&root, &files);
            let home = root.join("home");
            let executable = root.join("usr/bin/linsock");
            let tree = root.join("tree");
            let found = Installation::choose(layouts(
                has_home.then_some(home.as_path()),
                Some(executable),
                &tree,
            ))
            .unwrap();
            assert_eq!(found.headers().join("winsock2.h"), root.join(header), "{files:?}");
            assert_eq!(found.library().unwrap(), root.join(library), "{files:?}");
        }
    }

    #[test]
    fn a_home_without_headers_is_an_error_even_where_the_tree_has_them() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), &["tree/include/winsock2.h"]);
        let home = root.path().join("home");
        let layouts = layouts(Some(&home), None, &root.path().join("tree"));
        let error = Installation::choose(layouts).unwrap_err().to_string();
        assert!(error.contains("home/include/linsock"), "{error}");
        assert!(!error.contains("tree"), "{error}");
    }

    #[test]
    fn a_missing_library_names_the_places_of_the_layout_whose_headers_are_used() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), &["usr/include/linsock/winsock2.h", "usr/bin/deps/liblinsock_c.a"]);
        let executable = root.path().join("usr/bin/linsock");
        let found = Installation::choose(layouts(None, Some(executable), root.path())).unwrap();
        let error = found.library().unwrap_err().to_string();
        assert!(error.contains("usr/lib/linsock/liblinsock_c.a"), "{error}");
        assert!(!error.contains("deps"), "{error}");
    }
}
