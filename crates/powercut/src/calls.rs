//! Files that a program writes by itself, and what is on the disk of them if the power is cut after any of its calls, as
//! `strace` has written them down.
//!
//! No more is taken for granted than POSIX says: a file's bytes are on the disk once it was synced, its name once its
//! folder was. A rename happens whole or not at all; of several, any may be missing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use rand::RngExt;
use rand::rngs::StdRng;

use super::disk::{Change, File, Image, share};

/// What changes a file or a folder.
const CALLS: &str = "openat,creat,close,dup,lseek,write,pwrite64,writev,pwritev,ftruncate,truncate,fallocate,rename,\
                     renameat,renameat2,link,linkat,unlink,unlinkat,fsync,fdatasync,copy_file_range,sendfile";

/// A command that runs a program and has its calls written to `log`.
pub fn traced(program: &str, log: &Path) -> Command {
    let mut command = Command::new("strace");
    command
        .args(["-f", "-y", "-xx", "-s", "100000000", "-e", &format!("trace={CALLS}"), "-o"])
        .arg(log)
        .arg(program);
    command
}

/// The files of a folder, which has no folders in it, as a program finds and changes them that runs in it or names them from
/// the root.
pub struct Files {
    folder: PathBuf,
    /// Whether what is to be synced is.
    syncs: bool,
    inodes: Vec<Inode>,
    /// Names as the program sees them, and as they are on the disk for certain.
    shown: BTreeMap<PathBuf, usize>,
    named: BTreeMap<PathBuf, usize>,
    /// Changes of names since the folder was synced.
    renamed: Vec<Renamed>,
    open: BTreeMap<u32, Open>,
    /// Calls that others came in between of, by thread.
    unfinished: BTreeMap<String, String>,
}

#[derive(Default)]
struct Inode {
    shown: Vec<u8>,
    file: File,
}

#[derive(Clone)]
enum Renamed {
    Linked(PathBuf, usize),
    Unlinked(PathBuf),
    /// From, to.
    Moved(PathBuf, PathBuf),
}

#[derive(Clone, Copy)]
enum Open {
    Folder,
    File { inode: usize, at: usize, appends: bool },
}

impl Files {
    /// The folder as it is now, all of which is on the disk.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let folder = folder.canonicalize()?;
        let (mut inodes, mut shown) = (Vec::new(), BTreeMap::new());
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let bytes = fs::read(&path)?;
            shown.insert(path, inodes.len());
            inodes.push(Inode { shown: bytes.clone(), file: File::synced(bytes) });
        }
        let (renamed, open, unfinished) = Default::default();
        Ok(Self { folder, syncs: true, inodes, named: shown.clone(), shown, renamed, open, unfinished })
    }

    /// The same on a disk that never syncs.
    #[must_use]
    pub fn never_synced(self) -> Self {
        Self { syncs: false, ..self }
    }

    /// Does again what a program did by its `log`, and has each change of the folder looked at.
    ///
    /// # Errors
    /// Calls on the folder that are not understood.
    pub fn replay(&mut self, log: &str, mut each: impl FnMut(&Self)) -> Result<(), String> {
        for line in log.lines() {
            let (thread, text) = line.split_once(' ').ok_or_else(|| format!("no thread: {line}"))?;
            let text = text.trim_start();
            let whole = if let Some(begun) = text.strip_suffix(" <unfinished ...>") {
                self.unfinished.insert(thread.to_owned(), begun.to_owned());
                continue;
            } else if let Some((_, rest)) =
                text.strip_prefix("<... ").and_then(|text| text.split_once(" resumed>"))
            {
                self.unfinished.remove(thread).unwrap_or_default() + rest
            } else {
                text.to_owned()
            };
            let Some(call) = Call::parse(&whole) else { continue };
            if self.apply(&call).map_err(|error| format!("{error}: {}", &whole[..whole.len().min(300)]))? {
                each(self);
            }
        }
        Ok(())
    }

    /// What is on the disk if the power is cut now. What was not synced is there, or not, or in part, as chance has it.
    pub fn cut(&self, rng: &mut StdRng) -> Image {
        let share = share(rng);
        let mut named = self.named.clone();
        for change in &self.renamed {
            if rng.random_bool(share) {
                change.apply(&mut named);
            }
        }
        let bytes: Vec<_> = self.inodes.iter().map(|inode| inode.file.clone().survives(share, rng)).collect();
        self.image(&named, |inode| bytes[inode].clone())
    }

    /// What is on the disk for certain.
    pub fn certain(&self) -> Image {
        self.image(&self.named, |inode| self.inodes[inode].file.certain().to_vec())
    }

    fn image(&self, names: &BTreeMap<PathBuf, usize>, bytes: impl Fn(usize) -> Vec<u8>) -> Image {
        names.iter().filter_map(|(path, inode)| Some((path.file_name()?.into(), bytes(*inode)))).collect()
    }

    /// Whether anything has changed by a call.
    fn apply(&mut self, call: &Call) -> Result<bool, String> {
        let file =
            |index: usize| call.number(index).and_then(|number| self.open.get(&(number as u32)).copied());
        match &*call.name {
            "openat" => self.open(call),
            "close" => {
                call.number(0).map(|number| self.open.remove(&(number as u32)));
                Ok(false)
            }
            "lseek" => {
                if let Some(Open::File { at, .. }) =
                    call.number(0).and_then(|number| self.open.get_mut(&(number as u32)))
                {
                    *at = call.result;
                }
                Ok(false)
            }
            "write" | "pwrite64" => {
                let Some(Open::File { inode, at, appends }) = file(0) else { return Ok(false) };
                let bytes = call.text(1).ok_or("no bytes")?;
                let end = self.inodes[inode].shown.len();
                let at = if appends { end } else { call.number(3).unwrap_or(at) };
                if call.name == "write" {
                    self.go_to(call, 0, at + call.result);
                }
                Ok(self.write(inode, at, bytes[..call.result].to_vec()))
            }
            "ftruncate" => {
                let Some(Open::File { inode, .. }) = file(0) else { return Ok(false) };
                Ok(self.change(inode, Change::Truncate { to: call.number(1).ok_or("no length")? }))
            }
            "copy_file_range" | "sendfile" => {
                let (from, to) = if call.name == "sendfile" { (1, 0) } else { (0, 2) };
                let Some(Open::File { inode, at, .. }) = file(to) else { return Ok(false) };
                let Some(Open::File { inode: source, at: begin, .. }) = file(from) else {
                    return Err("a source that is not known".into());
                };
                let bytes = self.inodes[source].shown[begin..begin + call.result].to_vec();
                self.go_to(call, from, begin + call.result);
                self.go_to(call, to, at + call.result);
                Ok(self.write(inode, at, bytes))
            }
            "fsync" | "fdatasync" => {
                match file(0) {
                    _ if !self.syncs => return Ok(false),
                    None => return Ok(false),
                    Some(Open::Folder) => {
                        self.renamed.drain(..).for_each(|change| change.apply(&mut self.named))
                    }
                    Some(Open::File { inode, .. }) => self.inodes[inode].file.settle(),
                }
                Ok(true)
            }
            "rename" | "renameat" | "renameat2" => {
                let (from, to) = self.two_paths(call)?;
                Ok(self.holds(&from) && self.rename(Renamed::Moved(from, to)))
            }
            "link" | "linkat" => {
                let (from, to) = self.two_paths(call)?;
                let Some(inode) = self.shown.get(&from).copied() else { return Ok(false) };
                Ok(self.rename(Renamed::Linked(to, inode)))
            }
            "unlink" | "unlinkat" => {
                let path = self.folder.join(call.paths().next().ok_or("no path")?);
                Ok(self.holds(&path) && self.rename(Renamed::Unlinked(path)))
            }
            _ if call.is_of(&self.folder) => Err("a call that is not known".into()),
            _ => Ok(false),
        }
    }

    fn open(&mut self, call: &Call) -> Result<bool, String> {
        let path = self.folder.join(call.paths().next().ok_or("no path")?);
        let (number, flags) = (call.result as u32, call.arguments.get(2).cloned().unwrap_or_default());
        self.open.remove(&number);
        if path == self.folder {
            self.open.insert(number, Open::Folder);
        }
        if !self.holds(&path) {
            return Ok(false);
        }
        let known = self.shown.get(&path).copied();
        let inode = known.unwrap_or(self.inodes.len());
        let mut has_changed = false;
        if known.is_none() {
            self.inodes.push(Inode::default());
            has_changed = self.rename(Renamed::Linked(path, inode));
        } else if flags.contains("O_TRUNC") {
            has_changed = self.change(inode, Change::Truncate { to: 0 });
        }
        self.open.insert(number, Open::File { inode, at: 0, appends: flags.contains("O_APPEND") });
        Ok(has_changed)
    }

    fn two_paths(&self, call: &Call) -> Result<(PathBuf, PathBuf), String> {
        let mut paths = call.paths().map(|path| self.folder.join(path));
        paths.next().zip(paths.next()).ok_or_else(|| "not two paths".into())
    }

    fn holds(&self, path: &Path) -> bool {
        path.parent() == Some(&self.folder)
    }

    fn go_to(&mut self, call: &Call, index: usize, to: usize) {
        if let Some(Open::File { at, .. }) =
            call.number(index).and_then(|number| self.open.get_mut(&(number as u32)))
        {
            *at = to;
        }
    }

    fn write(&mut self, inode: usize, at: usize, bytes: Vec<u8>) -> bool {
        self.change(inode, Change::Write { at, bytes })
    }

    fn change(&mut self, inode: usize, change: Change) -> bool {
        let Inode { shown, file } = &mut self.inodes[inode];
        change.apply(shown);
        file.change(change);
        true
    }

    fn rename(&mut self, change: Renamed) -> bool {
        change.apply(&mut self.shown);
        self.renamed.push(change);
        true
    }
}

impl Renamed {
    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Linked(path, inode) => {
                names.insert(path.clone(), *inode);
            }
            Self::Unlinked(path) => {
                names.remove(path);
            }
            Self::Moved(from, to) => {
                if let Some(inode) = names.remove(from) {
                    names.insert(to.clone(), inode);
                }
            }
        }
    }
}

/// A call that was successful.
struct Call {
    name: String,
    /// As they are written, strings and paths in hexadecimal.
    arguments: Vec<String>,
    result: usize,
}

impl Call {
    fn parse(line: &str) -> Option<Self> {
        let (name, rest) = line.split_once('(')?;
        let (arguments, result) = rest.rsplit_once(" = ")?;
        let arguments = arguments.trim_end().strip_suffix(')')?;
        let result = result.split(['<', ' ']).next()?.parse().ok()?;
        let arguments = arguments.split(", ").map(str::to_owned).collect();
        Some(Self { name: name.to_owned(), arguments, result })
    }

    /// A number, which may be that of an open file.
    fn number(&self, index: usize) -> Option<usize> {
        self.arguments.get(index)?.split('<').next()?.parse().ok()
    }

    fn text(&self, index: usize) -> Option<Vec<u8>> {
        decoded(self.arguments.get(index)?.trim_matches('"'))
    }

    /// Those that it names.
    fn paths(&self) -> impl Iterator<Item = PathBuf> {
        self.arguments.iter().enumerate().filter(|(_, text)| text.starts_with('"')).filter_map(
            |(index, text)| {
                let from =
                    index.checked_sub(1).and_then(|before| self.arguments[before].split(['<', '>']).nth(1));
                Some(from.and_then(path).unwrap_or_default().join(path(text.trim_matches('"'))?))
            },
        )
    }

    fn is_of(&self, folder: &Path) -> bool {
        let hexadecimal: String =
            folder.as_os_str().as_encoded_bytes().iter().map(|byte| format!("\\x{byte:02x}")).collect();
        self.arguments.iter().any(|argument| argument.contains(&hexadecimal))
    }
}

fn path(text: &str) -> Option<PathBuf> {
    Some(String::from_utf8(decoded(text)?).ok()?.into())
}

/// `\x2f\x74`.
fn decoded(text: &str) -> Option<Vec<u8>> {
    text.split("\\x").skip(1).map(|digits| u8::from_str_radix(digits, 16).ok()).collect()
}
