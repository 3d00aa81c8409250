//! One who only wants to be in the way: connections that stay, requests that never end, many requests at once.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dregs_server::clock::monotonic;
use dregs_server::limit::Limit;
use rustix::process::{Resource, Rlimit, getrlimit, prlimit, setrlimit};

use super::{Ground, PATIENCE, Running, lines};
use crate::support::server::reached;

const KEY: &str = "sk_test";
/// What many systems give a process.
const FILES: u64 = 1_024;
/// More than that.
const CONNECTIONS: usize = 1_100;
/// An answer that nothing stands in the way of, on a machine that does much else.
const PROMPT: Duration = Duration::from_secs(5);

/// A server that may have [`FILES`] files open, and no more, if it asks for them.
fn serve(ground: &Ground, variables: &[(&str, &str)]) -> (Running, SocketAddr) {
    let script = format!("ulimit -Sn 128 && ulimit -Hn {FILES} && exec \"$0\" serve --listen 127.0.0.1:0");
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_dregs")]).current_dir(ground.0.path());
    command.envs([("DREGS_SECRET_KEY", KEY), ("DREGS_LOG", "error")]).envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lines = lines(child.stdout.take().unwrap());
    let running = Running { child, lines };
    let line = running.line_with(" listens on http://");
    let address = line.split(" listens on http://").nth(1).unwrap().parse().unwrap();
    (running, address)
}

/// This process needs as many files as the server has connections.
fn raise_own_limit() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

fn connect(address: SocketAddr, sent: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    // One that had to give way does not take it.
    let _ = stream.write_all(sent.as_bytes());
    stream
}

fn client() -> ureq::Agent {
    ureq::Agent::config_builder().timeout_global(Some(PROMPT)).http_status_as_error(false).build().into()
}

/// Whether an event is taken on a connection of its own.
fn send_event(address: SocketAddr, id: &str) {
    let event = format!(r#"{{"id": "{id}", "type": "user.signup", "identity": {{"id": "ada"}}}}"#);
    let post = client().post(format!("http://{address}/api/events"));
    let post =
        post.header("Authorization", format!("Bearer {KEY}")).header("Content-Type", "application/json");
    assert_eq!(post.send(&event).unwrap().status(), 200);
}

fn metrics(address: SocketAddr) -> String {
    client().get(format!("http://{address}/metrics")).call().unwrap().body_mut().read_to_string().unwrap()
}

/// What is read until the connection ends, or [`PATIENCE`] does.
fn rest(stream: TcpStream) -> String {
    rest_within(stream, PATIENCE)
}

fn rest_within(mut stream: TcpStream, patience: Duration) -> String {
    stream.set_read_timeout(Some(patience)).unwrap();
    let mut text = Vec::new();
    match stream.read_to_end(&mut text) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            panic!("it stays open")
        }
        // Closed either way.
        _ => String::from_utf8_lossy(&text).into_owned(),
    }
}

#[test]
fn who_comes_with_a_request_is_served_however_many_only_stay() {
    raise_own_limit();
    let ground = Ground::new();
    let (mut running, address) = serve(&ground, &[]);
    let half_a_body = "POST /api/auth/login HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n\
                       Content-Length: 100\r\n\r\n{\"email\"";
    let patient = connect(address, half_a_body);
    let kinds =
        [("nothing", ""), ("half a head", "GET /readyz HTTP/1.1\r\nHost: "), ("half a body", half_a_body)];
    for (kind, sent) in kinds {
        let kept: Vec<_> = (0..CONNECTIONS).map(|_| connect(address, sent)).collect();
        for n in 0..3 {
            send_event(address, &format!("{kind}-{n}"));
            let ready = client().get(format!("http://{address}/readyz")).call().unwrap();
            assert_eq!(ready.status(), 200, "{kind}");
        }
        drop(kept);
    }
    drop(patient);
    assert!(reached(&metrics(address), Limit::Connections) > 0);
    // Nobody is waited for who waits.
    let kept: Vec<_> = kinds.iter().cycle().take(300).map(|(_, sent)| connect(address, sent)).collect();
    let begun = monotonic();
    let (code, stderr) = running.stop_with("TERM");
    assert_eq!((code, stderr), (Some(0), String::new()));
    assert!(begun.elapsed() < Duration::from_secs(10), "stopping took {:?}", begun.elapsed());
    drop(kept);
}

#[test]
fn files_that_run_out_are_told_of_and_waited_for() {
    let ground = Ground::new();
    let (mut running, address) = serve(&ground, &[]);
    let process = rustix::process::Pid::from_child(&running.child);
    send_event(address, "first");
    let limit = |current| Rlimit { current: Some(current), maximum: Some(FILES) };
    let before = prlimit(Some(process), Resource::Nofile, limit(3)).unwrap();
    assert_eq!(before.current, Some(FILES), "it asks for all that it may have");
    // The first finds no file; nor does one that waits until there are files again.
    let kept = connect(address, "");
    std::thread::sleep(Duration::from_millis(200));
    prlimit(Some(process), Resource::Nofile, limit(FILES)).unwrap();
    send_event(address, "later");
    drop(kept);
    let (code, stderr) = running.stop_with("TERM");
    assert_eq!(code, Some(0));
    let told =
        |line: &&str| line.contains("connections cannot be accepted") && line.contains("Too many open files");
    assert_eq!(stderr.lines().filter(told).count(), 1, "{stderr}");
}

#[test]
fn what_never_comes_is_not_waited_for() {
    let ground = Ground::new();
    let (_running, address) = serve(&ground, &[]);
    let head = "POST /api/auth/login HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n";
    let nothing = connect(address, "");
    let half_a_head = connect(address, head);
    let half_a_body = connect(address, &format!("{head}Content-Length: 100\r\n\r\n{{\"email\""));
    assert_eq!((rest(nothing), rest(half_a_head)), (String::new(), String::new()));
    let answer = rest(half_a_body);
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("\"request_timeout\""), "{answer}");
    assert!(reached(&metrics(address), Limit::BodyTime) > 0);
    // Too much is refused before it is sent.
    for length in [
        "Content-Length: 262144\r\n\r\n".to_owned(),
        format!("Transfer-Encoding: chunked\r\n\r\n5000\r\n{:20480}\r\n", ""),
    ] {
        let begun = monotonic();
        let mut large = connect(address, &format!("{head}{length}"));
        large.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = [0; 12];
        large.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 413");
        assert!(begun.elapsed() < Duration::from_secs(10), "it was waited for");
    }
}

/// The answer to a request with this head, as far as one is read.
fn answer_to(address: SocketAddr, head: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    // It may be closed before all of it is taken.
    let _ = stream.write_all(head.as_bytes());
    rest(stream)
}

#[test]
fn a_head_that_is_too_large_is_answered_so_and_counted() {
    let ground = Ground::new();
    let (_running, address) = serve(&ground, &[]);
    let request =
        |headers: &str| format!("GET /readyz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{headers}\r\n");
    let many = |count: usize| (0..count).map(|n| format!("X-{n}: y\r\n")).collect::<String>();
    let long = |bytes: usize| format!("X: {}\r\n", "y".repeat(bytes));
    // Beside the two that are there.
    for taken in [many(98), long(60 * 1024)] {
        assert!(answer_to(address, &request(&taken)).starts_with("HTTP/1.1 200 "));
    }
    for refused in [many(99), long(128 * 1024)] {
        let answer = answer_to(address, &request(&refused));
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    assert_eq!(reached(&metrics(address), Limit::HeadSize), 2);
}

#[test]
fn who_says_nothing_or_takes_nothing_is_closed_in_time_and_counted() {
    let ground = Ground::new();
    let variables = [("DREGS_ADDRESS_RATE_PER_SECOND", "0"), ("DREGS_LOG", "warn")];
    let (mut running, address) = serve(&ground, &variables);
    let begun = monotonic();
    // As much as no socket takes that nobody reads.
    let unread = connect(address, &"GET /manual/print HTTP/1.1\r\nHost: h\r\n\r\n".repeat(100));
    let (nothing, half) = (connect(address, ""), connect(address, "GET /readyz HTTP/1.1\r\nHost: "));
    let mut idle = connect(address, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    let mut answer = [0; 15];
    idle.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    assert_eq!((rest(nothing), rest(half)), (String::new(), String::new()));
    assert!(rest_within(idle, Duration::from_secs(100)).ends_with("ok\n"), "nothing more is said");
    let took = begun.elapsed();
    assert!((75..90).contains(&took.as_secs()), "closed after {took:?}");
    let metrics = metrics(address);
    for (limit, reason, times) in
        [(Limit::HeadTime, "head", 2), (Limit::UnreadTime, "unread", 1), (Limit::IdleTime, "idle", 1)]
    {
        assert_eq!(reached(&metrics, limit), times, "{limit:?}: {metrics}");
        let closed = format!("dregs_http_connections_closed_total{{reason=\"{reason}\"}} {times}\n");
        assert!(metrics.contains(&closed), "{metrics}");
    }
    drop(unread);
    // A line for each, and none for what browsers do all day; none says who it was.
    let (_, stderr) = running.stop_with("TERM");
    let told: Vec<_> = stderr.lines().filter_map(|line| line.split("a limit was reached ").nth(1)).collect();
    assert_eq!(told, ["limit=\"head_time\" times=1", "limit=\"unread_time\" times=1"], "{stderr}");
}

/// The path of the dashboard's script.
fn script(address: SocketAddr) -> String {
    let mut page = client().get(format!("http://{address}/")).header("Accept", "text/html").call().unwrap();
    let html = page.body_mut().read_to_string().unwrap();
    html.split_once("src=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
}

/// How long events take, one after the other, for so long: the middle of them.
fn usual_event(address: SocketAddr, name: &str, time: Duration) -> Duration {
    let (begun, mut took) = (monotonic(), Vec::new());
    while begun.elapsed() < time {
        let sent = monotonic();
        send_event(address, &format!("{name}{}", took.len()));
        took.push(sent.elapsed());
    }
    took.sort_unstable();
    took[took.len() / 2]
}

#[test]
fn large_batches_that_are_refused_slow_nobody_down() {
    const BATCH_BYTES: usize = 4_000_000;
    // Whichever is longer: one reads, decodes or parses such a batch, in such a build, in more than either.
    const USUAL_MAX: Duration = Duration::from_millis(100);
    const USUAL_MAX_FACTOR: u32 = 20;
    let ground = Ground::new();
    let variables = [("DREGS_PUBLIC_KEY", "pk_test"), ("DREGS_ADDRESS_RATE_PER_SECOND", "1")];
    let (_running, address) = serve(&ground, &variables);
    let alone = usual_event(address, "alone", Duration::from_secs(1));
    let one = r#"{"type": "t", "identity": {"id": "ada"}, "data": {"a": [1, 2, 3], "b": "text"}},"#;
    let mut body = format!("[{}", one.repeat(BATCH_BYTES / one.len()));
    body.replace_range(body.len() - 1.., "]");
    let head = |key: &str| {
        format!(
            "POST /api/events/batch HTTP/1.1\r\nHost: h\r\nOrigin: https://evil.example\r\nConnection: close\r\n\
             Authorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
    };
    // With the public key from a page that may not send, and with a key that there is not.
    let requests = ["pk_test", "sk_guess"].map(|key| format!("{}{body}", head(key)));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let senders: Vec<_> = requests
            .iter()
            .map(|request| {
                scope.spawn(|| {
                    let mut answers = Vec::new();
                    while !is_over.load(Ordering::Relaxed) {
                        answers.extend(answer_to(address, request).get(9..12).map(str::to_owned));
                    }
                    answers
                })
            })
            .collect();
        let beside = usual_event(address, "beside", Duration::from_secs(4));
        is_over.store(true, Ordering::Relaxed);
        let answers: Vec<_> = senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect();
        println!("an event takes {alone:?} alone, and {beside:?} beside {} such batches", answers.len());
        let is_refused = |answer: &String| ["401", "403", "429"].contains(&answer.as_str());
        assert!(answers.len() >= 10 && answers.iter().all(is_refused), "{answers:?}");
        assert!(answers.iter().any(|answer| answer == "429"), "they are counted: {answers:?}");
        let most = USUAL_MAX.max(alone * USUAL_MAX_FACTOR);
        assert!(beside < most, "{alone:?} alone, {beside:?} beside them");
    });
}

#[test]
fn many_requests_sent_at_once_leave_others_their_turn() {
    let ground = Ground::new();
    let (_running, address) = serve(&ground, &[("DREGS_ADDRESS_RATE_PER_SECOND", "0")]);
    for path in [&script(address), "/readyz", "/manual", "/manual?term=webhook"] {
        let (events, longest) = beside_many(address, path);
        println!("{path}: {events} events meanwhile, the slowest in {longest:?}");
        assert!(events >= 3 && longest < Duration::from_secs(2), "{path}: {events} events, {longest:?}");
    }
}

/// Asks for a path many times at once. Meanwhile, one after the other, so many events were taken, and the slowest in this
/// time.
fn beside_many(address: SocketAddr, path: &str) -> (usize, Duration) {
    const REQUESTS: usize = 3_000;
    let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n");
    let mut writer = TcpStream::connect(address).unwrap();
    let mut reader = writer.try_clone().unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| writer.write_all(request.repeat(REQUESTS).as_bytes()).unwrap());
        let answers = scope.spawn(|| {
            let (mut buffer, mut tail, mut answers) = (vec![0; 1 << 20], Vec::new(), 0);
            while answers < REQUESTS {
                let read = reader.read(&mut buffer).unwrap();
                assert!(read > 0, "closed after {answers}");
                tail.extend_from_slice(&buffer[..read]);
                let needle = b"HTTP/1.1 200 OK\r\n";
                answers += memchr::memmem::find_iter(&tail, needle).count();
                tail.drain(..tail.len().saturating_sub(needle.len() - 1));
            }
            is_over.store(true, Ordering::Relaxed);
            answers
        });
        let (mut events, mut longest) = (0, Duration::ZERO);
        while !is_over.load(Ordering::Relaxed) {
            let begun = monotonic();
            send_event(address, &format!("{path}{events}"));
            (events, longest) = (events + 1, longest.max(begun.elapsed()));
        }
        assert_eq!(answers.join().unwrap(), REQUESTS);
        (events, longest)
    })
}
