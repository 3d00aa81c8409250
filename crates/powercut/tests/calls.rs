//! What the system calls of a program leave on the disk after a power cut.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;

use dregs_powercut::{Files, traced};
use rand::SeedableRng;
use rand::rngs::StdRng;

/// What a file may hold after cuts during a script of Python, in a folder where it holds "old"; `None` where it is not
/// there. And what it holds for certain in the end.
fn held(script: &str) -> (BTreeSet<Option<String>>, Option<String>) {
    let (folder, log) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
    fs::write(folder.path().join("file"), "old").unwrap();
    let mut files = Files::of(folder.path()).unwrap();
    let mut command = traced("python3", log.path());
    let status =
        command.args(["-c", &format!("import os, shutil\n{script}")]).current_dir(folder.path()).status();
    assert!(status.unwrap().success());
    let (mut rng, mut found) = (StdRng::seed_from_u64(1), BTreeSet::new());
    let look = |image: dregs_powercut::Image| {
        let folder = tempfile::tempdir().unwrap();
        image.restore(folder.path()).unwrap();
        fs::read_to_string(folder.path().join("file")).ok()
    };
    files
        .replay(&fs::read_to_string(log.path()).unwrap(), |files| {
            found.extend((0..20).map(|_| look(files.cut(&mut rng))));
        })
        .unwrap();
    let end = look(files.certain());
    (found, end)
}

fn some(all: &[&str]) -> BTreeSet<Option<String>> {
    all.iter().map(|one| Some((*one).to_owned())).collect()
}

const ASIDE: &str = "new = open('new', 'w'); new.write('new'); new.flush()";
const SYNC_FOLDER: &str = "os.fsync(os.open('.', os.O_RDONLY))";

#[test]
fn what_is_synced_and_then_named_is_old_or_new() {
    let (found, end) = held(&format!("{ASIDE}\nos.fsync(new.fileno())\nos.rename('new', 'file')"));
    assert_eq!((found, end), (some(&["old", "new"]), Some("old".into())));
}

#[test]
fn it_is_new_once_the_folder_is_synced() {
    let (_, end) = held(&format!("{ASIDE}\nos.fsync(new.fileno())\nos.rename('new', 'file')\n{SYNC_FOLDER}"));
    assert_eq!(end, Some("new".into()));
}

#[test]
fn what_is_named_before_it_is_synced_may_be_empty() {
    let (found, _) =
        held(&format!("{ASIDE}\nos.rename('new', 'file')\n{SYNC_FOLDER}\nos.fsync(new.fileno())"));
    assert!(found.is_superset(&some(&["old", "new", ""])), "{found:?}");
}

#[test]
fn what_is_written_anew_may_be_empty_and_what_is_removed_may_be_there() {
    let (found, _) = held("open('file', 'w').write('new')");
    assert!(found.is_superset(&some(&["old", "new", ""])), "{found:?}");
    let (found, end) = held("os.remove('file')");
    assert_eq!((found, end), ([None, Some("old".into())].into(), Some("old".into())));
}

#[test]
fn a_second_name_keeps_what_the_first_had() {
    let (found, end) =
        held(&format!("os.link('file', 'kept')\nos.remove('file')\nos.link('kept', 'file')\n{SYNC_FOLDER}"));
    assert_eq!((found, end), ([None, Some("old".into())].into(), Some("old".into())));
}

#[test]
fn copies_by_the_system_are_followed() {
    let (_, end) = held(&format!(
        "shutil.copyfile('file', 'new')\nos.fsync(os.open('new', os.O_RDWR))\nos.remove('file')\nos.rename('new', 'file')\n{SYNC_FOLDER}"
    ));
    assert_eq!(end, Some("old".into()));
}
