//! One thread answers everybody, so nothing may take it for long: the longest poll after each of the largest things
//! that may be asked, in processor time, against what an ordinary event takes in all.

use std::io::Write as _;
use std::net::SocketAddr;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{Ground, Running};

const KEY: &str = "sk_test";
/// What the longest poll may take, in ordinary events. One takes about 60 µs in the shipped binary, so this is 2.4 ms
/// there; measured as a ratio it is the same in a build for tests.
const LONGEST_MAX: f64 = 40.0;
const ORDINARY: usize = 300;

struct Server {
    _running: Running,
    address: SocketAddr,
    agent: ureq::Agent,
}

impl Server {
    fn start(ground: &Ground) -> Self {
        let variables = [
            ("DREGS_SECRET_KEY", KEY),
            ("DREGS_LOG", "error"),
            ("DREGS_ADDRESS_RATE_PER_SECOND", "0"),
            ("DREGS_BODY_MAX_KIB", "256"),
        ];
        let running = ground.start(&["serve", "--listen", "127.0.0.1:0"], &variables);
        let line = running.line_with(" listens on http://");
        let address = line.split(" listens on http://").nth(1).unwrap().parse().unwrap();
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { _running: running, address, agent }
    }

    fn get(&self, path: &str) -> String {
        let get = self.agent.get(format!("http://{}{path}", self.address));
        let mut answer = get.header("Authorization", format!("Bearer {KEY}")).call().unwrap();
        answer.body_mut().with_config().limit(1 << 30).read_to_string().unwrap()
    }

    fn post(&self, path: &str, encoding: &str, body: &[u8]) -> u16 {
        let post = self.agent.post(format!("http://{}{path}", self.address));
        let post = post.header("Authorization", format!("Bearer {KEY}"));
        let post = post.header("Content-Type", "application/json").header("Content-Encoding", encoding);
        post.send(body).unwrap().status().as_u16()
    }

    /// In seconds: the longest poll since the last time, and all polls so far.
    fn polls(&self) -> (f64, f64) {
        let text = self.get("/metrics");
        let value = |name: &str| {
            let line = text.lines().find(|line| line.split(' ').next() == Some(name)).unwrap();
            line.split(' ').nth(1).unwrap().parse().unwrap()
        };
        (value("dregs_poll_seconds_max"), value("dregs_poll_seconds_sum"))
    }
}

fn event(id: &str, data: &Value) -> Value {
    json!({
        "id": id,
        "type": "user.signup",
        "identity": {"id": id, "data": {"email": format!("{id}@example.com"), "name": "Ada Lovelace"}},
        "ip": "203.0.113.7",
        "data": data,
    })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn noise(bytes: usize) -> String {
    std::iter::repeat_with(|| char::from(b'0' + rand::random::<u8>() % 75)).take(bytes).collect()
}

/// Everything of the API that can be read with a key, in pages as large as may be.
fn readable() -> Vec<String> {
    let document: Value = serde_json::from_str(include_str!("../../../../openapi.json")).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let readable = paths.filter(|(path, item)| item.get("get").is_some() && *path != "/api/live");
    let mut found = Vec::new();
    for (path, item) in readable {
        let is_paged = item["get"]["parameters"].to_string().contains("\"pageSize\"");
        let path =
            path.replace("/identities/{id}", "/identities/large").replace("/events/{id}", "/events/one1");
        found.push(if is_paged { format!("{path}?pageSize=100") } else { path });
    }
    found.retain(|path| !path.contains('{'));
    found
}

#[test]
fn nothing_takes_the_thread_that_answers_for_long() {
    let ground = Ground::new();
    let server = &Server::start(&ground);
    let send = |name: &str, data: &Value| {
        let body = event(name, data).to_string();
        assert_eq!(server.post("/api/events", "identity", body.as_bytes()), 200, "{name}");
    };
    send("first", &json!({}));
    let (_, before) = server.polls();
    (0..ORDINARY).for_each(|n| send(&format!("ordinary{n}"), &json!({"plan": "pro"})));
    let (_, after) = server.polls();
    let ordinary = (after - before) / ORDINARY as f64;

    let mut found = Vec::new();
    let mut hold = |what: &str, run: &dyn Fn()| {
        server.polls();
        run();
        found.push((what.to_owned(), server.polls().0 / ordinary));
    };
    let wide: Value =
        (0..1_500).map(|n| (format!("k{n}"), json!(n))).collect::<serde_json::Map<_, _>>().into();
    let batch = |name: &str, events: usize, data: &Value| {
        let events: Vec<_> = (0..events).map(|n| event(&format!("{name}{n}"), data)).collect();
        let body = json!(events).to_string();
        move || assert_eq!(server.post("/api/events/batch", "identity", body.as_bytes()), 200)
    };
    hold("an event that is read at once", &|| send("wide", &wide));
    hold("the largest event", &|| send("large", &json!({"noise": noise(60_000)})));
    hold("a batch of many", &batch("many", 1_000, &json!({})));
    hold("the largest batch", &batch("full", 1_000, &json!({"noise": noise(3_700)})));
    let wrong = json!(vec![json!({"type": "", "identity": {"id": ""}, "ip": "x"}); 1_000]).to_string();
    hold("a batch of nothing right", &|| {
        server.post("/api/events/batch", "identity", wrong.as_bytes());
    });
    let bomb = gzip(&vec![b' '; 200_000_000]);
    hold("a body that decodes to too much", &|| {
        assert_eq!(server.post("/api/events/batch", "gzip", &bomb), 413);
    });
    let deep = format!("{}1{}", "[".repeat(120_000), "]".repeat(120_000));
    hold("a body of brackets", &|| assert_eq!(server.post("/api/events", "identity", deep.as_bytes()), 400));
    let wide: Value =
        (0..4_500).map(|n| (format!("k{n}"), json!(n))).collect::<serde_json::Map<_, _>>().into();
    for n in 0..100 {
        let noise = json!({"noise": noise(60_000)});
        let of_many = if n % 2 == 0 { &wide } else { &noise };
        for (id, user, data) in [("one", "large".to_owned(), &noise), ("each", format!("large{n}"), of_many)]
        {
            let identity = json!({"id": user, "data": data});
            let event =
                json!({"id": format!("{id}{n}"), "type": "upload", "identity": identity, "data": data});
            assert_eq!(server.post("/api/events", "identity", event.to_string().as_bytes()), 200);
        }
    }
    for path in readable() {
        hold(&path, &|| drop(server.get(&path)));
    }
    for path in ["/api/openapi.json", "/api/docs", "/dregs.js", "/metrics", "/"] {
        hold(path, &|| drop(server.get(path)));
    }
    for (what, longest) in &found {
        println!("{longest:8.1} ordinary events: {what}");
    }
    println!("an ordinary event takes {:.0} µs", ordinary * 1e6);
    found.retain(|(_, longest)| *longest > LONGEST_MAX);
    assert_eq!(found, [], "polls that take longer than {LONGEST_MAX} ordinary events");
}
