//! A PostgreSQL server of a test's own, which may be configured, frozen and ended without harm to others; and a disk
//! of its own, which may be full.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The user that PostgreSQL runs as where the tests run as root, which it refuses.
const OWNER: &str = "postgres";

/// How often a start is tried.
const STARTS_MAX: usize = 20;

/// A running server; it ends when this is dropped.
pub struct Cluster {
    pub port: u16,
    folder: TempDir,
    bin: PathBuf,
    /// What the server is started with.
    options: String,
    variables: Vec<(&'static str, String)>,
}

/// A process of PostgreSQL, or all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// It is told to end at once, without writing what it has in memory.
    Immediate,
    /// Its first process is killed; the others notice.
    Postmaster,
    /// All are killed.
    Killed,
    /// One that serves a connection is killed; the others start anew by themselves.
    Backend,
}

impl End {
    pub const ALL: [Self; 4] = [Self::Immediate, Self::Postmaster, Self::Killed, Self::Backend];
}

impl Cluster {
    /// A server that lets in whom `hba` says (the lines of `pg_hba.conf`), with more settings as `name=value`.
    pub fn start(hba: &str, settings: &[&str]) -> Self {
        Self::start_with(hba, settings, &[])
    }

    /// The same, with more variables in its environment.
    pub fn start_with(hba: &str, settings: &[&str], variables: &[(&'static str, String)]) -> Self {
        let mut cluster = Self::new(settings);
        cluster.variables = variables.to_vec();
        let data = cluster.data();
        cluster
            .run("initdb", &["-D", &data, "-U", "dregs", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"]);
        std::fs::write(Path::new(&data).join("pg_hba.conf"), hba).unwrap();
        cluster.start_again();
        cluster
    }

    /// A folder and a port, and nothing else yet.
    fn new(settings: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("dregs-cluster").tempdir_in("/tmp").unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        give_to_owner(folder.path());
        let mut options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=off",
            folder.path().display()
        );
        settings.iter().for_each(|setting| write!(options, " -c {setting}").unwrap());
        Self { port, folder, bin: bin(), options, variables: Vec::new() }
    }

    /// Starts it on the data that are there.
    pub fn start_again(&self) {
        let data = self.data();
        let log = self.folder().join("server.log").display().to_string();
        let start = ["-D", &data, "-l", &log, "-w", "-o", &self.options, "start"];
        // Processes that were made while it was killed may not have noticed yet.
        for _ in 0..STARTS_MAX {
            if self.try_run("pg_ctl", &start) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        panic!("{}", std::fs::read_to_string(log).unwrap_or_default());
    }

    /// Copies a server that runs, by its own tool, and starts the copy: as a standby, or to be told by `more` what it is.
    pub fn copy_of(other: &Self, arguments: &[&str], settings: &[&str]) -> Self {
        let copy = Self::new(settings);
        let from = format!("host=127.0.0.1 port={} user=dregs application_name=standby", other.port);
        let data = copy.data();
        let all = [&["-D", &data, "-d", &from, "-c", "fast"], arguments].concat();
        copy.run("pg_basebackup", &all);
        copy
    }

    pub fn promote(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "-w", "promote"]);
    }

    /// Ends it as a person would.
    pub fn stop(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "fast", "-w", "stop"]);
    }

    /// Waits until it takes connections; whether it had to be started for that.
    pub fn settle(&self) -> bool {
        let url = self.url();
        let takes = move || postgres::Client::connect(&url, postgres::NoTls).is_ok();
        let mut is_started = false;
        // The synchronous client must not run on a thread of the runtime.
        while !std::thread::spawn(takes.clone()).join().unwrap() {
            if !self.is_running() {
                is_started = true;
                self.start_again();
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        is_started
    }

    pub fn is_running(&self) -> bool {
        self.processes().first().is_some_and(|pid| runs(pid))
    }

    /// Ends it, or a part of it, by force. What is left of it is gone when this returns.
    pub fn end(&self, how: End) {
        let processes = self.processes();
        let kill = |pid: &str| drop(Command::new("kill").args(["-9", pid]).stderr(Stdio::null()).status());
        match how {
            End::Immediate => self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]),
            End::Postmaster => kill(&processes[0]),
            End::Killed => processes.iter().for_each(|pid| kill(pid)),
            End::Backend => {
                let serves = |pid: &&String| {
                    let title = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                    title.contains(" dregs postgres 127.0.0.1")
                };
                return processes.iter().find(serves).into_iter().for_each(|pid| kill(pid));
            }
        }
        for _ in 0..1_000 {
            if !processes.iter().any(|pid| runs(pid)) {
                // Where nobody has waited for its first process yet, its number is still taken.
                let _ = std::fs::remove_file(format!("{}/postmaster.pid", self.data()));
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("of {processes:?} some are left");
    }

    /// Its first process and the children of that.
    fn processes(&self) -> Vec<String> {
        let Ok(file) = std::fs::read_to_string(format!("{}/postmaster.pid", self.data())) else {
            return Vec::new();
        };
        let postmaster = file.lines().next().unwrap().to_owned();
        let children = Command::new("pgrep").args(["-P", &postmaster]).output().unwrap().stdout;
        let children = String::from_utf8(children).unwrap();
        std::iter::once(postmaster).chain(children.split_whitespace().map(str::to_owned)).collect()
    }

    /// Where its socket is, and where there is room for files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn url(&self) -> String {
        format!("postgres://dregs@127.0.0.1:{}/postgres", self.port)
    }

    /// A file that only the server reads.
    pub fn private_file(&self, name: &str, text: &[u8]) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.folder().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        give_to_owner(&path);
        path
    }

    /// Runs statements as the superuser, each for itself.
    pub fn administer(&self, statements: &[String]) {
        let (url, statements) = (self.url(), statements.to_vec());
        let run = move || {
            let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
            statements.iter().for_each(|statement| client.batch_execute(statement).unwrap());
        };
        // The synchronous client must not run on a thread of the runtime.
        std::thread::spawn(run).join().unwrap();
    }

    /// A database of its own whose rows are in this folder, which it makes; the address of it.
    pub fn database_in(&self, folder: &Path) -> String {
        std::fs::create_dir(folder).unwrap();
        give_to_owner(folder);
        let place = format!("create tablespace apart location '{}'", folder.display());
        self.administer(&[place, "create database apart tablespace apart".to_owned()]);
        format!("postgres://dregs@127.0.0.1:{}/apart", self.port)
    }

    /// Stops every process of it where it stands, as a stalled disk or a frozen machine would.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        // One of them may have ended meanwhile.
        self.processes().iter().for_each(|pid| {
            drop(Command::new("kill").args(["-s", signal, pid]).stderr(Stdio::null()).status())
        });
    }

    pub fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// The first column of the first row that a query answers, as the superuser.
    pub fn ask(&self, query: &str) -> String {
        let (url, query) = (self.url(), query.to_owned());
        let run = move || {
            let rows =
                postgres::Client::connect(&url, postgres::NoTls).unwrap().simple_query(&query).unwrap();
            rows.iter().find_map(|message| match message {
                postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            })
        };
        // The synchronous client must not run on a thread of the runtime.
        std::thread::spawn(run).join().unwrap().unwrap_or_default()
    }

    fn run(&self, program: &str, args: &[&str]) {
        let said = || std::fs::read_to_string(self.folder.path().join("start.log")).unwrap_or_default();
        assert!(self.try_run(program, args), "{program}: {}", said());
    }

    fn try_run(&self, program: &str, args: &[&str]) -> bool {
        let program = self.bin.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", OWNER, "--"]).arg(&program);
            command
        } else {
            Command::new(&program)
        };
        // Its output would keep a pipe open for as long as the server runs.
        let log = self.folder.path().join("start.log");
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        command.args(args).envs(self.variables.clone()).current_dir("/").stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log).status().unwrap().success()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It may have been ended already.
        if self.is_running() {
            self.thaw();
            self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
        }
    }
}

/// Whether a process runs; one that has ended has no program any more, even if nobody has waited for it yet.
fn runs(pid: &str) -> bool {
    Path::new("/proc").join(pid).join("exe").read_link().is_ok()
}

/// The newest PostgreSQL of the machine.
fn bin() -> PathBuf {
    let mut found: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("run `scripts/postgres.sh start` before the tests")
        .map(|entry| entry.unwrap().path().join("bin"))
        .collect();
    found.sort();
    found.pop().expect("run `scripts/postgres.sh start` before the tests")
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn give_to_owner(path: &Path) {
    if is_root() {
        assert!(Command::new("chown").arg(OWNER).arg(path).status().unwrap().success());
    }
}

/// A file system of a given size in a folder; it is gone when this is dropped.
pub struct Disk {
    folder: TempDir,
}

impl Disk {
    /// `size` as mount(8) takes it, such as `16m`.
    ///
    /// # Panics
    /// When the tests run neither as root nor as somebody who may use sudo without a password.
    pub fn of_size(size: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size},mode=0777");
        let mounted = as_root(&["mount", "-t", "tmpfs", "-o", &options, "tmpfs"], folder.path());
        assert!(mounted, "a full disk is tried on a tmpfs, which takes root or sudo to mount");
        Self { folder }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        as_root(&["umount", "--lazy"], self.folder.path());
    }
}

fn as_root(words: &[&str], path: &Path) -> bool {
    let words: Vec<_> = if is_root() { words.to_vec() } else { [&["sudo", "-n"], words].concat() };
    Command::new(words[0]).args(&words[1..]).arg(path).status().unwrap().success()
}
