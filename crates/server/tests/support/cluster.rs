//! A PostgreSQL server of a test's own, which may be configured, frozen and ended without harm to others; and a disk
//! of its own, which may be full.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The user that PostgreSQL runs as where the tests run as root, which it refuses.
const OWNER: &str = "postgres";

/// A running server; it ends when this is dropped.
pub struct Cluster {
    pub port: u16,
    folder: TempDir,
    bin: PathBuf,
    /// What its postmaster is started with.
    options: String,
}

impl Cluster {
    /// A server that lets in whom `hba` says (the lines of `pg_hba.conf`), with more settings as `name=value`.
    pub fn start(hba: &str, settings: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("dregs-cluster").tempdir_in("/tmp").unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut cluster = Self { port, folder, bin: bin(), options: String::new() };
        give_to_owner(cluster.folder.path());
        let data = cluster.data();
        cluster
            .run("initdb", &["-D", &data, "-U", "dregs", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"]);
        std::fs::write(Path::new(&data).join("pg_hba.conf"), hba).unwrap();
        let mut options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=off",
            cluster.folder().display()
        );
        settings.iter().for_each(|setting| write!(options, " -c {setting}").unwrap());
        cluster.options = options;
        cluster.go_on();
        cluster
    }

    /// Starts it, for the first time or after [`Self::crash`].
    pub fn go_on(&self) {
        let (data, log) = (self.data(), format!("{}/server.log", self.data()));
        self.run("pg_ctl", &["-D", &data, "-l", &log, "-w", "-o", &self.options, "start"]);
    }

    /// Ends it as a crash would: connections break, and there is nobody who takes new ones.
    pub fn crash(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
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

    /// Stops every process of it where it stands, as a stalled disk or a frozen machine would.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let postmaster = std::fs::read_to_string(format!("{}/postmaster.pid", self.data())).unwrap();
        let postmaster = postmaster.lines().next().unwrap();
        let children = Command::new("pgrep").args(["-P", postmaster]).output().unwrap().stdout;
        let children = String::from_utf8(children).unwrap();
        let all = std::iter::once(postmaster).chain(children.split_whitespace());
        // One of them may have ended meanwhile.
        all.for_each(|pid| {
            drop(Command::new("kill").args(["-s", signal, pid]).stderr(Stdio::null()).status())
        });
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn run(&self, program: &str, args: &[&str]) {
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
        command.args(args).current_dir("/").stdin(Stdio::null());
        let status = command.stdout(log.try_clone().unwrap()).stderr(log).status().unwrap();
        let said = || std::fs::read_to_string(self.folder.path().join("start.log")).unwrap_or_default();
        assert!(status.success(), "{}: {}", program.display(), said());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.thaw();
        self.crash();
    }
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
