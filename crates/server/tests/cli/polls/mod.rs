//! One thread answers everybody, so nothing may take it for long: the longest poll after each of the largest things
//! that may be asked, in processor time, against what an ordinary event takes in all.

mod asked;

use std::cell::RefCell;
use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{Ground, PATIENCE, Running};
use asked::{Asked, Ids};

const KEY: &str = "sk_test";
const EMAIL: &str = "admin@example.com";
const PASSWORD: &str = "correct horse battery staple";
/// What the longest poll may take, in ordinary events. One takes about 60 µs in the shipped binary, so this is 2.4 ms
/// there; measured as a ratio it is the same in a build for tests.
const LONGEST_MAX: f64 = 40.0;
const ORDINARY: usize = 300;

struct Server {
    _running: Running,
    address: SocketAddr,
    agent: ureq::Agent,
    /// What was answered otherwise than it should be.
    wrong: RefCell<Vec<String>>,
}

impl Server {
    fn start(ground: &Ground) -> Self {
        let variables = [
            ("DREGS_SECRET_KEY", KEY),
            ("DREGS_ADMIN_EMAIL", EMAIL),
            ("DREGS_ADMIN_PASSWORD", PASSWORD),
            ("DREGS_EGRESS_ALLOW", "127.0.0.0/8"),
            ("DREGS_LOG", "error"),
            ("DREGS_ADDRESS_RATE_PER_SECOND", "0"),
            ("DREGS_BODY_MAX_KIB", "256"),
        ];
        let running = ground.start(&["serve", "--listen", "127.0.0.1:0"], &variables);
        let line = running.line_with(" listens on http://");
        let address = line.split(" listens on http://").nth(1).unwrap().parse().unwrap();
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { _running: running, address, agent, wrong: RefCell::default() }
    }

    fn get(&self, path: &str) -> String {
        self.ask(KEY, &Asked { method: "GET", path: path.to_owned(), body: None, status: 200 })
    }

    fn ask(&self, token: &str, asked: &Asked) -> String {
        let request = ureq::http::Request::builder()
            .method(asked.method)
            .uri(format!("http://{}{}", self.address, asked.path))
            .header("Authorization", format!("Bearer {token}"))
            .header("Content-Type", "application/json")
            .header("Accept", "application/json, text/event-stream");
        let body = asked.body.as_ref().map(Value::to_string).unwrap_or_default();
        let mut answer = self.agent.run(request.body(body).unwrap()).unwrap();
        let status = answer.status().as_u16();
        let said = answer.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap();
        let said = String::from_utf8_lossy(&said).into_owned();
        if status != asked.status {
            let start = |text: &str| text.chars().take(200).collect::<String>();
            self.wrong.borrow_mut().push(format!("{status} {}: {}", start(&asked.name()), start(&said)));
        }
        said
    }

    fn read(&self, token: &str, path: &str) -> Value {
        let asked = Asked { method: "GET", path: path.to_owned(), body: None, status: 200 };
        serde_json::from_str(&self.ask(token, &asked)).unwrap()
    }

    fn make(&self, token: &str, path: &str, status: u16, body: Value) -> Value {
        let asked = Asked { method: "POST", path: path.to_owned(), body: Some(body), status };
        serde_json::from_str(&self.ask(token, &asked)).unwrap()
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

type Added = (&'static str, usize, &'static [(&'static str, &'static str)]);

/// How much is added to what a team has made, by table; and what must be another in each row.
const ADDED: [Added; 11] = [
    ("credentials", 95, &[("name", "x"), ("public_key", "'pk_' || x"), ("secret_hash", "randomblob(32)")]),
    ("invitations", 195, &[("email", "x || email"), ("token_hash", "randomblob(32)")]),
    ("users", 990, &[("email", "x || email"), ("owner", "0")]),
    ("channels", 300, &[("name", "name || x"), ("slug", "slug || x"), ("enabled", "0")]),
    ("badge_rules", 990, &[("name", "name || x"), ("slug", "slug || x"), ("enabled", "0")]),
    ("escalation_rules", 990, &[("name", "name || x"), ("enabled", "0")]),
    ("mappings", 4_990, &[("source", "source || x")]),
    ("dataset_entries", 9_990, &[("value", "x || '.' || value")]),
    ("lists", 90, &[("slug", "slug || x"), ("name", "name || x")]),
    ("list_entries", 100_000, &[("value", "x || value")]),
    ("views", 90, &[("name", "name || x")]),
];

/// Makes as much of everything as a team may have, but a few.
fn fill(ground: &Ground) {
    let database = rusqlite::Connection::open(ground.0.path().join("data/dregs.db")).unwrap();
    database.busy_timeout(PATIENCE).unwrap();
    for (table, count, others) in ADDED {
        let mut columns =
            database.prepare(&format!("select name from pragma_table_info('{table}')")).unwrap();
        let columns: Vec<String> =
            columns.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let columns: Vec<_> = columns.iter().filter(|column| *column != "id").map(String::as_str).collect();
        let value = |column: &str| {
            others
                .iter()
                .find(|(name, _)| *name == column)
                .map_or(column.to_owned(), |(_, value)| (*value).to_owned())
        };
        let sql = format!(
            "insert into {table} ({}) with recursive n (x) as (select 1 union all select x + 1 from n where x < {count})
             select {} from (select * from {table} order by id desc limit 1), n",
            columns.join(", "),
            columns.iter().map(|column| value(column)).collect::<Vec<_>>().join(", "),
        );
        assert_eq!(database.execute(&sql, []).unwrap(), count, "{table}");
    }
    let members = "insert into members (team_id, user_id, role, created_at)
        select 1, id, 'VIEWER', 0 from users where id not in (select user_id from members)";
    assert_eq!(database.execute(members, []).unwrap(), 990);
}

/// An identity with much, and as much of everything as a team can make; the ids of some of it.
fn furnish(server: &Server, ground: &Ground, token: &str) -> Ids {
    let conditions = json!([{"type": "SCORE_LT", "category": "HUMANITY", "threshold": 100}]);
    let headers: serde_json::Map<_, _> =
        (0..20).map(|n| (format!("X-{n}"), json!("x".repeat(500)))).collect();
    let config = json!({"url": "http://127.0.0.1:9/", "headers": headers});
    let events = json!(["identity.scored"]);
    let channel = server.make(
        token,
        "/api/channels",
        201,
        json!({"type": "WEBHOOK", "name": "Hook", "events": events, "config": config}),
    );
    let rule = json!({"name": "All", "severity": "INFO", "conditions": conditions});
    let escalation_rule = server.make(token, "/api/escalation-rules", 201, rule);
    let badge = json!({"name": "All", "type": "BAD", "conditions": conditions});
    let badge_rule = server.make(token, "/api/badge-rules", 201, badge);
    let wide: Value =
        (0..4_500).map(|n| (format!("k{n}"), json!(n))).collect::<serde_json::Map<_, _>>().into();
    for n in 0..100 {
        let noise = json!({"noise": noise(60_000)});
        let of_many = if n % 2 == 0 { &wide } else { &noise };
        for (id, user, data) in [("one", "large".to_owned(), &noise), ("each", format!("large{n}"), of_many)]
        {
            let event = json!({
                "id": format!("{id}{n}"), "type": "upload", "ip": "203.0.113.7", "data": data,
                "identity": {"id": user, "data": data}, "device": {"fingerprint": "shared"},
                "groups": [{"id": "big"}],
            });
            assert_eq!(server.post("/api/events", "identity", event.to_string().as_bytes()), 200);
        }
    }
    // Scored, and told of.
    let escalation = super::eventually(|| {
        let open = server.read(token, "/api/escalations?identity=large");
        let open = open["content"].as_array().unwrap().first().cloned()?;
        let told = server.read(token, "/api/identities/large/deliveries");
        told["content"].as_array().unwrap().first().cloned().map(|delivery| (open, delivery))
    });
    let (escalation, delivery) = escalation;
    let make = |path: &str, body: Value| server.make(token, path, 201, body)["id"].to_string();
    let change = json!({"filter": {}, "status": "ACKNOWLEDGED"});
    let change = server.make(token, "/api/escalations/bulk-changes", 202, change)["id"].to_string();
    super::eventually(|| {
        let change = server.read(token, &format!("/api/escalations/bulk-changes/{change}"));
        (change["state"] == "FINISHED").then_some(())
    });
    let label = make("/api/identities/large0/actions/label", json!({"outcome": "BAD"}));
    let credential = make("/api/credentials", json!({"name": "Other"}));
    let mapping =
        make("/api/mappings", json!({"kind": "EVENT_TYPE", "source": "other_name", "target": null}));
    let counter = json!({"name": "Other", "function": "DISTINCT", "of": "identity.id", "per": "device", "windowSeconds": 3_600});
    let counter = make("/api/counters", counter);
    let view = make("/api/views", json!({"name": "Other", "page": "identities", "query": ""}));
    let mcp_token = make("/api/mcp-tokens", json!({"name": "Other"}));
    let invitation = make("/api/team/invitations", json!({"email": "other@example.com", "role": "USER"}));
    let entry = make("/api/datasets/disposable-email-domains/entries", json!({"value": "other.example"}));
    let list = make("/api/lists", json!({"name": "Devices", "type": "DEVICE"}));
    let on_list = format!("/api/lists/{list}/entries");
    server.make(token, &on_list, 200, json!({"entries": [{"value": "first"}]}));
    let on_list = format!("{on_list}/{}", server.read(token, &on_list)["content"][0]["id"]);
    let told = server.read(token, "/api/audit-log?action=list-entry.create")["content"][0]["id"].clone();
    fill(ground);
    // It is read again within a second.
    std::thread::sleep(Duration::from_secs(3));
    let members = server.read(token, "/api/team/members");
    let member = members.as_array().unwrap().iter().find(|member| member["role"] == "VIEWER").unwrap();
    let at = |folder: &str, id: &dyn std::fmt::Display| format!("/api/{folder}/{id}");
    Ids::from([
        ("/api/audit-log/{id}", at("audit-log", &told)),
        ("/api/auth/passkeys/{id}", at("auth/passkeys", &1)),
        ("/api/auth/sessions/{id}", at("auth/sessions", &1_000_000)),
        ("/api/badge-rules/{id}", at("badge-rules", &badge_rule["id"])),
        ("/api/channels/{id}", at("channels", &channel["id"])),
        ("/api/counters/{id}", at("counters", &counter)),
        ("/api/credentials/{id}", at("credentials", &credential)),
        ("/api/datasets/{slug}", at("datasets", &"disposable-email-domains")),
        ("/api/datasets/{slug}/entries/{id}", at("datasets/disposable-email-domains/entries", &entry)),
        ("/api/deliveries/{id}", at("deliveries", &delivery["id"])),
        ("/api/devices/{fingerprint}", at("devices", &"shared")),
        ("/api/escalation-rules/{id}", at("escalation-rules", &escalation_rule["id"])),
        ("/api/escalations/bulk-changes/{id}", at("escalations/bulk-changes", &change)),
        ("/api/escalations/{id}", at("escalations", &escalation["id"])),
        ("/api/events/{id}", at("events", &"one1")),
        ("/api/groups/{type}/{id}", at("groups/organization", &"big")),
        ("/api/identities/{id}", at("identities", &"large")),
        ("/api/labels/accuracy/analyzers/{id}", at("labels/accuracy/analyzers", &"behavior.pace")),
        ("/api/labels/accuracy/badges/{slug}", at("labels/accuracy/badges", &"confirmed-bad")),
        ("/api/labels/accuracy/rules/{id}", at("labels/accuracy/rules", &escalation_rule["id"])),
        ("/api/labels/{id}", at("labels", &label)),
        ("/api/lists/{id}", at("lists", &list)),
        ("/api/lists/{id}/entries/{entryId}", on_list),
        ("/api/mappings/{id}", at("mappings", &mapping)),
        ("/api/mcp-tokens/{id}", at("mcp-tokens", &mcp_token)),
        ("/api/oauth/connections/{id}", at("oauth/connections", &1)),
        ("/api/team/invitations/{id}", at("team/invitations", &invitation)),
        ("/api/team/members/{id}", at("team/members", &member["id"])),
        ("/api/teams/{id}", at("teams", &1)),
        ("/api/views/{id}", at("views", &view)),
        ("/api/weights/{id}", at("weights", &1)),
    ])
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

    let sign_in = json!({"email": EMAIL, "password": PASSWORD});
    let token = server.make(KEY, "/api/auth/login", 200, sign_in)["token"].as_str().unwrap().to_owned();
    let mcp_token = server.make(&token, "/api/mcp-tokens", 201, json!({"name": "Agent"}));
    let mcp_token = mcp_token["token"].as_str().unwrap();
    let ids = furnish(server, &ground, &token);
    for asked in asked::by_anybody() {
        hold(&asked.name(), &|| drop(server.ask("", &asked)));
    }
    for asked in asked::readable(&ids) {
        hold(&asked.name(), &|| drop(server.ask(&token, &asked)));
    }
    for (name, message) in asked::of_agent() {
        let asked = Asked { method: "POST", path: "/mcp".to_owned(), body: Some(message), status: 200 };
        hold(&name, &|| drop(server.ask(mcp_token, &asked)));
    }
    for asked in asked::others(&ids) {
        hold(&asked.name(), &|| drop(server.ask(&token, &asked)));
    }
    for (what, longest) in &found {
        println!("{longest:8.1} ordinary events: {}", &what[..what.len().min(120)]);
    }
    println!("an ordinary event takes {:.0} µs", ordinary * 1e6);
    assert_eq!(server.wrong.take(), Vec::<String>::new(), "answered otherwise than it should be");
    found.retain(|(_, longest)| *longest > LONGEST_MAX);
    assert_eq!(found, [], "polls that take longer than {LONGEST_MAX} ordinary events");
}
