//! `dregs backup` and `dregs restore`: a copy of the database beside a running server, and its way back.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use dregs_core::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};

use super::existing::Existing;
use super::output::{counted, line, note};
use super::serve::{check_data_dir, not_a_file, store_failure, store_name};
use super::{Failure, load, runtime, unusable};
use crate::app;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, Flags, STORE, show_only};
use crate::ops::installation::master_key;
use crate::store::{Location, Store, StoreError, backup};
use crate::vault::{self, Vault};

/// What a file is called until it is whole.
const PART: &str = "part";
/// What stands beside a database of SQLite.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", "-journal"];

#[derive(Args)]
#[command(mut_args(show_only(&STORE)), after_help = "\
Copies the SQLite database as it is at one moment, whether the server runs or not; nobody who writes waits.
The master key is not in it: keep that in another place. PostgreSQL has its own tools for this.

Examples:
  dregs backup /backups/dregs-monday.db
  dregs backup --data-dir /var/lib/dregs /backups/dregs-monday.db")]
pub struct Backup {
    /// Where the copy is made; a new file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    flags: Flags,
}

impl Backup {
    pub fn run(self) -> Result<(), Failure> {
        let config = load(&self.flags)?.config;
        let Location::File(from) = app::location(&config) else {
            let hint = "PostgreSQL is backed up by its own tools: pg_dump, or a base backup with its log (see the manual)";
            return Err(Failure::Misused(hint.into()));
        };
        let name = store_name(&config);
        not_a_file(&config.data_dir, "data_dir", "--data-dir")?;
        if !from.exists() {
            return Err(Failure::Failed(format!("{name} is not there: choose another with --data-dir")));
        }
        let shown = self.file.display();
        if self.file.exists() {
            return Err(Failure::Misused(format!("{shown} is there already: choose another name")));
        }
        let part = self.file.with_added_extension(PART);
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.exists()) {
            return Err(Failure::Misused(format!("the folder {} is not there", folder.display())));
        }
        let failed = |error| match error {
            // Of the copy, and not of the database.
            StoreError::Refused(told) if told.starts_with(&*part.to_string_lossy()) => Failure::Misused(told),
            error => store_failure(&name, &error),
        };
        let claimed = backup::claim(&part).map_err(failed)?;
        let done = backup::copy(&from, (&part, &claimed), SystemClock.now());
        if done.is_err() {
            remove_all(&part);
        }
        let bytes = done.map_err(failed)?;
        put_in_place(&part, &self.file)?;
        line(format_args!("{shown}: {} KiB, and sound", bytes.div_ceil(1024)));
        let key = app::key_file(&config);
        note(format_args!("The master key is not in it: keep {} as well, in another place.", key.display()));
        Ok(())
    }
}

#[derive(Args)]
#[command(mut_args(show_only(&STORE)), after_help = "\
The server must not run. Everything that is numbered goes on far ahead, so that nothing gets a number that the
server of before has given after the backup. What arrived since is not in it: send it again.

Examples:
  dregs restore /backups/dregs-monday.db        Into ./data, with its master key beside it
  dregs restore --replace /backups/dregs-monday.db
                                                In place of the database there, which is kept
  dregs restore --in-place --database-url postgres://dregs@localhost/dregs
                                                After PostgreSQL's own tools have put it back")]
pub struct Restore {
    /// What `dregs backup` has made
    #[arg(value_name = "FILE", required_unless_present = "in_place", conflicts_with = "in_place")]
    file: Option<PathBuf>,
    /// Move the database away that is there, if there is one
    #[arg(long)]
    replace: bool,
    /// The database is put back already, by other tools
    #[arg(long, conflicts_with = "replace")]
    in_place: bool,
    #[command(flatten)]
    flags: Flags,
}

impl Restore {
    pub fn run(self) -> Result<(), Failure> {
        let config = load(&self.flags)?.config;
        let name = store_name(&config);
        match (app::location(&config), self.file) {
            (_, None) => {
                let _lock = match app::location(&config) {
                    Location::File(_) => Some(app::lock(&config)?),
                    Location::Postgres(_) => None,
                };
                resume(&Existing::open(&config)?.store, &name)
            }
            (Location::Postgres(_), Some(_)) => {
                let hint = "PostgreSQL is restored by its own tools, and then by `dregs restore --in-place`";
                Err(Failure::Misused(hint.into()))
            }
            (Location::File(to), Some(file)) => restore(&config, &file, &to, self.replace),
        }
    }
}

fn restore(config: &Config, file: &Path, to: &Path, replaces: bool) -> Result<(), Failure> {
    let shown = file.display();
    if !file.exists() {
        return Err(Failure::Misused(format!("{shown} is not there")));
    }
    backup::check(file).map_err(|error| Failure::Misused(error.to_string()))?;
    check_data_dir(&config.data_dir)?;
    let _lock = app::lock(config)?;
    if to.exists() && !replaces {
        return Err(Failure::Misused(format!(
            "there is a database at {}: `--replace` moves it away, or choose another --data-dir",
            to.display()
        )));
    }
    let part = to.with_added_extension(PART);
    remove_all(&part);
    let copy = || -> std::io::Result<()> {
        fs::copy(file, &part)?;
        #[cfg(unix)]
        fs::set_permissions(&part, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        fs::File::open(&part)?.sync_all()
    };
    copy().map_err(|error| unusable(&error, format!("{} cannot be written: {error}", part.display())))?;
    let done = finish(config, &part, &shown.to_string());
    if done.is_err() {
        remove_all(&part);
    }
    done?;
    let aside = with_suffix(to, &format!(".before-{}", SystemClock.now().as_millis() / 1_000));
    if keep(to, &aside)
        .map_err(|error| Failure::Failed(format!("{} cannot be kept: {error}", to.display())))?
    {
        note(format_args!("The database of before is {}.", aside.display()));
    }
    put_in_place(&part, to)
}

/// Keeps what is at `to` under another name, if anything is. A database whose log can be taken in gets that as a second
/// name, so that whenever the power goes there is one; a damaged one, or one on a disk without second names, is moved
/// there with its log, which must not be taken for that of another.
fn keep(to: &Path, aside: &Path) -> std::io::Result<bool> {
    if backup::take_in_log(to).is_ok() && !with_suffix(to, "-wal").exists() {
        match fs::hard_link(to, aside) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {}
            done => return done.and_then(|()| sync_folder(to)).map(|()| true),
        }
    }
    let beside = BESIDE.map(|suffix| (with_suffix(to, suffix), with_suffix(aside, suffix)));
    let found: Vec<_> = beside.iter().filter(|(was, _)| was.exists()).collect();
    found.iter().try_for_each(|(was, is)| fs::rename(was, is))?;
    sync_folder(to)?;
    Ok(!found.is_empty())
}

/// Makes a copy ready that is not in its place yet; the store is closed when that is done.
fn finish(config: &Config, part: &Path, shown: &str) -> Result<(), Failure> {
    let failed = |error: StoreError| store_failure(shown, &error);
    let store = Store::open(&Location::File(part.to_owned()), SystemClock.now()).map_err(failed)?;
    let key_file = app::key_file(config);
    let key = vault::master_key(config.master_key.as_deref(), &key_file).map_err(Failure::Misused)?;
    match key {
        Some(key) => {
            let vault = Vault::new(key);
            let fits = master_key::fits(&store, &vault, SystemClock.now());
            if runtime()?.block_on(fits).map_err(failed)?.is_none() {
                return Err(Failure::Misused(format!(
                    "the master key is not the one of {shown}: put its own key into {}, or name it with \
                     --master-key-file",
                    key_file.display()
                )));
            }
        }
        None => {
            note(format_args!("Put its master key into {} before you start the server.", key_file.display()))
        }
    }
    resume(&store, shown)
}

/// Has a database go on that was put back, and says how old it is.
fn resume(store: &Store, name: &str) -> Result<(), Failure> {
    let now = SystemClock.now();
    let resumed = runtime()?.block_on(store.write(move |tx| backup::resume(tx, now)));
    let taken_at = resumed.map_err(|error| store_failure(name, &error))?;
    match taken_at {
        None => line(format_args!("{name} is restored; it is empty")),
        Some(taken_at) => {
            line(format_args!("{name} is restored, as it was at {taken_at}, {} ago", age(taken_at, now)));
            note(
                "What arrived since is not in it, and what was decided since is forgotten: send events again.",
            );
        }
    }
    Ok(())
}

/// "3 days", "2 hours".
fn age(then: Timestamp, now: Timestamp) -> String {
    let millis = now.millis_since(then).max(0);
    let units = [(DAY_MS, "day"), (HOUR_MS, "hour"), (MINUTE_MS, "minute")];
    let (length, noun) = units.into_iter().find(|(length, _)| millis >= *length).unwrap_or((1_000, "second"));
    counted((millis / length).unsigned_abs(), noun)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn remove_all(path: &Path) {
    for suffix in BESIDE {
        let _ = fs::remove_file(with_suffix(path, suffix));
    }
}

/// Gives a file that is whole its name, for good.
fn put_in_place(part: &Path, to: &Path) -> Result<(), Failure> {
    let placed = fs::rename(part, to).and_then(|()| sync_folder(to));
    placed.map_err(|error| unusable(&error, format!("{} cannot be written: {error}", to.display())))?;
    // Of the copy, which SQLite has emptied.
    remove_all(part);
    Ok(())
}

/// Has the names of files be on the disk beside which this one lies.
fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}
