//! The MCP server: who may use which tool, what it refuses, and what an agent is told.

mod messages;
mod told;

use std::collections::BTreeSet;
use std::sync::Arc;

use dregs_core::time::DAY_MS;
use dregs_server::clock::ManualClock;
use dregs_server::limit::Limit;
use dregs_server::ops::access::limits::MCP_REQUESTS_PER_SECOND;
use dregs_server::store::escalations::Severity;
use dregs_server::store::users::{self, Role};
use dregs_server::store::{Tx, members};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{escalation, session, team};
use crate::support::engine::Engine;
use crate::support::receiver::Receiver;
use crate::support::server::{SECRET_KEY, TestServer, answer, event, eventually};

/// What an agent sends with each message.
fn message(server: &TestServer, token: &str, method: &str, params: &Value) -> RequestBuilder {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let request = server.request(Method::POST, "/mcp").bearer_auth(token).json(&body);
    request.header("Accept", "application/json, text/event-stream")
}

/// An agent of a new person.
struct Agent {
    user: i64,
    token_id: i64,
    session: String,
    token: String,
}

impl Agent {
    async fn new(server: &TestServer, role: Role) -> Self {
        let session = session(&server.app, team(&server.app).await, role).await;
        let new = server.request(Method::POST, "/api/mcp-tokens").bearer_auth(&session);
        let (_, made) = answer(new.json(&json!({"name": "Assistant"}))).await;
        let (_, me) = answer(server.request(Method::GET, "/api/auth/me").bearer_auth(&session)).await;
        let token = made["token"].as_str().unwrap().to_owned();
        Self { user: me["id"].as_i64().unwrap(), token_id: made["id"].as_i64().unwrap(), session, token }
    }

    /// The answer to a message.
    async fn ask(&self, server: &TestServer, method: &str, params: Value) -> Value {
        let (status, body) = answer(message(server, &self.token, method, &params)).await;
        assert_eq!(status, 200, "{method} {params}: {body}");
        body
    }

    /// The result of a tool.
    async fn call(&self, server: &TestServer, tool: &str, arguments: Value) -> Value {
        let mut answer = self.ask(server, "tools/call", json!({"name": tool, "arguments": arguments})).await;
        assert!(answer["result"].is_object(), "{tool} {arguments}: {answer}");
        answer["result"].take()
    }

    /// What the API answered.
    async fn data(&self, server: &TestServer, tool: &str, arguments: Value) -> Value {
        let mut result = self.call(server, tool, arguments.clone()).await;
        assert_eq!(result["isError"], false, "{tool} {arguments}: {result}");
        result["structuredContent"]["data"].take()
    }

    /// The status and the words with which the API refused.
    async fn refusal(&self, server: &TestServer, tool: &str, arguments: Value) -> String {
        let result = self.call(server, tool, arguments.clone()).await;
        assert_eq!(result["isError"], true, "{tool} {arguments}: {result}");
        let data = &result["structuredContent"]["data"];
        format!("{} {}", data["status"], data["message"].as_str().unwrap())
    }
}

/// A server with somebody in each list.
async fn scene() -> (TestServer, i64) {
    let server = TestServer::start(Engine::Sqlite).await;
    let mut first = event("e1", "ada");
    first["device"] = json!({"fingerprint": "f1"});
    server.post("/api/events", first).await;
    let escalation = escalation(&server.app, "ada", Severity::Critical).await;
    eventually("ada to be scored", async || {
        let (status, _) = server.call(Method::GET, "/api/identities/ada/analysis", None).await;
        status.is_success().then_some(())
    })
    .await;
    (server, escalation)
}

/// What each tool answers to a viewer, a user and an admin: 0 where it goes well. A tool that is not here fails the
/// test.
const ROLES: &[(&str, [u16; 3])] = &[
    ("add_dataset_entry", [403, 403, 0]),
    ("add_escalation_note", [403, 0, 0]),
    ("analyze_identity", [403, 0, 0]),
    ("create_badge_rule", [403, 403, 0]),
    ("create_escalation_rule", [403, 403, 0]),
    ("dashboard_decisions", [0, 0, 0]),
    ("dashboard_rule_activity", [0, 0, 0]),
    ("dashboard_score_distribution", [0, 0, 0]),
    ("dashboard_stats", [0, 0, 0]),
    ("delete_badge_rule", [403, 403, 0]),
    ("delete_escalation_rule", [403, 403, 0]),
    ("delete_mapping", [403, 403, 0]),
    ("end_snooze", [403, 0, 0]),
    ("escalation_summary", [0, 0, 0]),
    ("get_account_summary", [0, 0, 0]),
    ("get_accuracy", [0, 0, 0]),
    ("get_badge_rule", [0, 0, 0]),
    ("get_channel", [0, 0, 0]),
    ("get_device", [0, 0, 0]),
    ("get_documentation", [0, 0, 0]),
    ("get_escalation", [0, 0, 0]),
    ("get_escalation_history", [0, 0, 0]),
    ("get_escalation_rule", [0, 0, 0]),
    ("get_identity", [0, 0, 0]),
    ("get_identity_analysis", [0, 0, 0]),
    ("get_identity_decision", [0, 0, 0]),
    ("get_identity_history", [0, 0, 0]),
    ("get_identity_links", [0, 0, 0]),
    ("label_identity", [403, 0, 0]),
    ("list_badge_rules", [0, 0, 0]),
    ("list_bulk_changes", [0, 0, 0]),
    ("list_channel_deliveries", [0, 0, 0]),
    ("list_channels", [0, 0, 0]),
    ("list_dataset_entries", [0, 0, 0]),
    ("list_datasets", [0, 0, 0]),
    ("list_devices", [0, 0, 0]),
    ("list_escalation_rules", [0, 0, 0]),
    ("list_escalation_waves", [0, 0, 0]),
    ("list_escalations", [0, 0, 0]),
    ("list_identities", [0, 0, 0]),
    ("list_identity_labels", [0, 0, 0]),
    ("list_mappings", [0, 0, 0]),
    ("preview_bulk_change", [0, 0, 0]),
    ("preview_escalation_rule", [0, 0, 0]),
    ("preview_label", [0, 0, 0]),
    ("remove_dataset_entry", [403, 403, 0]),
    ("search_events", [0, 0, 0]),
    ("set_escalation_assignee", [403, 0, 0]),
    ("set_identity_disregarded", [403, 0, 0]),
    ("set_mapping", [403, 403, 0]),
    ("snooze_escalation", [403, 0, 0]),
    ("test_channel", [403, 403, 0]),
    ("undo_bulk_change", [403, 0, 0]),
    ("update_badge_rule", [403, 403, 0]),
    ("update_escalation_rule", [403, 403, 0]),
    ("update_escalation_status", [403, 0, 0]),
    ("update_escalations", [403, 0, 0]),
    ("withdraw_label", [403, 0, 0]),
];

fn rule(tool: &str, unique: u64) -> Value {
    let conditions = json!([{"type": "SCORE_LT", "category": "ANY", "threshold": 1}]);
    let kind = if tool.contains("badge") { "type" } else { "severity" };
    let value = if tool.contains("badge") { "BAD" } else { "INFO" };
    json!({"name": format!("Test {unique}"), kind: value, "conditions": conditions})
}

/// Arguments with which a tool goes well, about things made for it.
async fn arguments(server: &TestServer, tool: &str, escalation: i64, channel: i64) -> Value {
    let unique = rand::random::<u64>();
    let made = async |path: &str, body: Value| server.post(path, body).await["id"].clone();
    match tool {
        "get_badge_rule" | "delete_badge_rule" => {
            json!({"id": made("/api/badge-rules", rule(tool, unique)).await})
        }
        "get_escalation_rule" | "delete_escalation_rule" => {
            json!({"id": made("/api/escalation-rules", rule(tool, unique)).await})
        }
        "create_badge_rule" | "create_escalation_rule" => rule(tool, unique),
        "update_badge_rule" | "update_escalation_rule" => {
            let path = if tool.contains("badge") { "/api/badge-rules" } else { "/api/escalation-rules" };
            let mut all = rule(tool, unique);
            all["id"] = made(path, all.clone()).await;
            all
        }
        "preview_escalation_rule" => json!({"conditions": rule(tool, unique)["conditions"]}),
        "get_escalation" => json!({ "id": escalation }),
        "update_escalation_status" => json!({"id": escalation, "status": "ACKNOWLEDGED"}),
        "get_escalation_history" => json!({ "id": escalation }),
        "add_escalation_note" => json!({"id": escalation, "text": "Looks odd"}),
        "set_escalation_assignee" => json!({"id": escalation, "assignee": "me", "force": true}),
        "snooze_escalation" => json!({"id": escalation, "until": server.app.clock.now().plus_millis(DAY_MS)}),
        "end_snooze" => {
            let path = format!("/api/escalations/{escalation}");
            let rule = server.get(&path).await["escalationRule"]["id"].clone();
            let until = json!({"until": server.app.clock.now().plus_millis(DAY_MS)});
            server.post(&format!("{path}/actions/snooze"), until).await;
            json!({"id": "ada", "rule": rule})
        }
        "preview_bulk_change" | "update_escalations" => json!({"filter": {}, "status": "ACKNOWLEDGED"}),
        "undo_bulk_change" => {
            let new = json!({"filter": {}, "status": "ACKNOWLEDGED"});
            let id = made("/api/escalations/bulk-changes", new).await;
            let path = format!("/api/escalations/bulk-changes/{id}");
            eventually("the change to be finished", async || {
                (server.get(&path).await["state"] == "FINISHED").then_some(())
            })
            .await;
            json!({ "id": id })
        }
        "get_device" => json!({"fingerprint": "f1"}),
        "get_channel" | "list_channel_deliveries" | "test_channel" => json!({ "id": channel }),
        "list_dataset_entries" => {
            json!({"slug": "disposable-email-domains", "pageSize": 3, "scope": "GLOBAL"})
        }
        "add_dataset_entry" => {
            json!({"slug": "disposable-email-domains", "value": format!("d{unique}.org")})
        }
        "remove_dataset_entry" => {
            let path = "/api/datasets/disposable-email-domains/entries";
            let id = made(path, json!({"value": format!("d{unique}.org")})).await;
            json!({"slug": "disposable-email-domains", "id": id})
        }
        "set_mapping" => json!({"kind": "EVENT_TYPE", "source": "Account.opened", "target": "REGISTRATION"}),
        "delete_mapping" => {
            let new = json!({"kind": "EVENT_TYPE", "source": format!("n{unique}"), "target": "LOGIN"});
            json!({"id": made("/api/mappings", new).await})
        }
        "set_identity_disregarded" => json!({"id": "ada", "disregarded": false}),
        "preview_label" | "label_identity" => json!({"id": "ada", "outcome": "GOOD"}),
        "withdraw_label" => {
            json!({"id": made("/api/identities/ada/actions/label", json!({"outcome": "GOOD"})).await})
        }
        tool if tool.contains("identity") => json!({"id": "ada"}),
        _ => json!({}),
    }
}

/// How many entries of the audit log name an agent's token.
async fn logged(server: &TestServer, admin: &Agent) -> usize {
    let log = server.request(Method::GET, "/api/audit-log?pageSize=100").bearer_auth(&admin.session);
    let (_, log) = answer(log).await;
    log["content"].as_array().unwrap().iter().filter(|entry| !entry["mcpToken"].is_null()).count()
}

#[tokio::test]
async fn every_tool_does_what_the_role_may_and_is_logged_where_it_writes() {
    let (server, escalation) = scene().await;
    let receiver = Receiver::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let (channel, _) = server.channel("Hook", json!({"url": receiver.url()})).await;
    let mut agents = Vec::new();
    for role in [Role::Viewer, Role::User, Role::Admin] {
        agents.push(Agent::new(&server, role).await);
    }
    let listed = agents[0].ask(&server, "tools/list", json!({})).await;
    let mut found = Vec::new();
    for tool in listed["result"]["tools"].as_array().unwrap() {
        let name = tool["name"].as_str().unwrap();
        let (mut got, before) = ([0; 3], logged(&server, &agents[2]).await);
        for (got, agent) in got.iter_mut().zip(&agents) {
            let result = agent.call(&server, name, arguments(&server, name, escalation, channel).await).await;
            let data = &result["structuredContent"]["data"];
            *got = if result["isError"] == true { data["status"].as_u64().unwrap() as u16 } else { 0 };
        }
        let writes = tool["annotations"]["readOnlyHint"] == false;
        assert_eq!(logged(&server, &agents[2]).await > before, writes, "{name} in the audit log");
        found.push((name.to_owned(), got));
    }
    found.sort();
    let said = |rows: Vec<(String, [u16; 3])>| {
        rows.iter().map(|(tool, got)| format!("{tool} {got:?}\n")).collect::<String>()
    };
    let expected = ROLES.iter().map(|(tool, got)| ((*tool).to_owned(), *got));
    assert_eq!(said(found), said(expected.collect()));
}

#[tokio::test]
async fn tools_say_what_they_take_and_what_they_do_to_the_world() {
    let (server, _) = scene().await;
    let agent = Agent::new(&server, Role::Viewer).await;
    let listed = agent.ask(&server, "tools/list", json!({})).await;
    let tools = listed["result"]["tools"].as_array().unwrap();
    let (mut destructive, mut open) = (BTreeSet::new(), BTreeSet::new());
    for tool in tools {
        let name = tool["name"].as_str().unwrap();
        assert!(tool["description"].as_str().unwrap().len() > 15, "{tool}");
        let schema = &tool["inputSchema"];
        assert_eq!((&schema["type"], &schema["additionalProperties"]), (&json!("object"), &json!(false)));
        assert!(!schema.to_string().contains("$ref"), "{name}: {schema}");
        let hints = &tool["annotations"];
        let hint = |hint: &str| hints[hint].as_bool().unwrap_or_else(|| panic!("{name} has no {hint}"));
        let reads = ["list_", "get_", "dashboard_", "search_", "preview_"];
        let is_read = reads.iter().any(|start| name.starts_with(start)) || name == "escalation_summary";
        assert_eq!(hint("readOnlyHint"), is_read, "{name}");
        assert!(hint("idempotentHint") || !is_read, "{name}");
        if hint("destructiveHint") {
            destructive.insert(name);
        }
        if hint("openWorldHint") {
            open.insert(name);
        }
    }
    let takes = |start: &str| {
        ["update_", "delete_", "remove_", "set_", "label_", "withdraw_", "snooze_", "undo_"]
            .iter()
            .any(|one| start.starts_with(one))
    };
    let expected = tools.iter().map(|tool| tool["name"].as_str().unwrap()).filter(|name| takes(name));
    assert_eq!(destructive, expected.collect());
    assert_eq!(open, ["get_documentation", "test_channel"].into());
    let named = |tool: &str| tools.iter().find(|found| found["name"] == tool).unwrap();
    assert_eq!(
        named("set_identity_disregarded")["inputSchema"]["required"],
        json!(["id", "disregarded"]),
        "and no attributes"
    );
}

#[tokio::test]
async fn who_has_no_token_that_holds_is_told_how_to_come_by_one() {
    let (server, _) = scene().await;
    let agent = Agent::new(&server, Role::Admin).await;
    let ping = |token: &str| message(&server, token, "tools/list", &json!({}));
    assert_eq!(answer(ping(&agent.token)).await.0, 200);
    let used = server.request(Method::GET, "/api/mcp-tokens").bearer_auth(&agent.session);
    assert!(answer(used).await.1[0]["lastUsedAt"].is_string());
    let refused = async |token: &str| {
        let response = ping(token).send().await.unwrap();
        let challenge = response.headers()["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("Bearer resource_metadata="), "{challenge}");
        (response.status().as_u16(), response.json::<Value>().await.unwrap()["message"].clone())
    };
    let none = json!(
        "This needs an MCP token, as \"Authorization: Bearer mcp_…\". Make one with POST /api/mcp-tokens, or sign in by OAuth."
    );
    assert_eq!(refused(SECRET_KEY).await, (401, none.clone()));
    assert_eq!(refused(&agent.session).await, (401, none.clone()));
    let unknown = json!("The MCP token is unknown, has expired or has been removed.");
    assert_eq!(refused("mcp_0123456789abcdef0123456789abcdef").await, (401, unknown.clone()));
    // A token does nothing at the API itself.
    let (status, body) =
        answer(server.request(Method::GET, "/api/identities").bearer_auth(&agent.token)).await;
    assert_eq!((status.as_u16(), &body["message"]), (401, &json!("An MCP token works at /mcp only.")));
    let nobody = server.request(Method::POST, "/mcp").json(&json!({}));
    assert_eq!(answer(nobody).await.0, 401);
    let path = format!("/api/mcp-tokens/{}", agent.token_id);
    assert_eq!(answer(server.request(Method::DELETE, &path).bearer_auth(&agent.session)).await.0, 204);
    assert_eq!(refused(&agent.token).await, (401, unknown));
    // A stream of the server's own there is not, and pages of other sites have no business here.
    assert_eq!(answer(server.request(Method::GET, "/mcp")).await.0, 405);
    let other = Agent::new(&server, Role::Admin).await;
    let page = message(&server, &other.token, "tools/list", &json!({})).header("Origin", "https://evil.test");
    assert_eq!(page.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn an_agent_is_demoted_and_goes_with_its_maker() {
    let (server, escalation) = scene().await;
    let agent = Agent::new(&server, Role::User).await;
    let user = agent.user;
    let acknowledge = json!({"id": escalation, "status": "ACKNOWLEDGED"});
    agent.data(&server, "update_escalation_status", acknowledge.clone()).await;
    let team_id = team(&server.app).await;
    let demote = move |tx: &mut Tx| members::set_role(tx, team_id, user, Role::Viewer);
    server.app.store.write(demote).await.unwrap();
    let refusal = agent.refusal(&server, "update_escalation_status", acknowledge).await;
    assert_eq!(refusal, "403 A viewer may only read.");
    server.app.store.write(move |tx| users::delete(tx, user)).await.unwrap();
    assert_eq!(answer(message(&server, &agent.token, "tools/list", &json!({}))).await.0, 401);
}

#[tokio::test]
async fn what_an_agent_does_is_logged_with_its_maker_and_its_token() {
    let (server, escalation) = scene().await;
    let agent = Agent::new(&server, Role::Admin).await;
    let acknowledge = json!({"id": escalation, "status": "ACKNOWLEDGED"});
    agent.data(&server, "update_escalation_status", acknowledge).await;
    let log = server.request(Method::GET, "/api/audit-log?targetType=escalation").bearer_auth(&agent.session);
    let (_, log) = answer(log).await;
    let entry = &log["content"][0];
    let email = format!("{}@example.com", agent.session);
    let found = ["actorType", "actorId", "actor", "mcpToken", "address", "action", "targetId"]
        .map(|field| entry[field].clone());
    let expected = json!([
        "USER",
        agent.user,
        email,
        "Assistant",
        "127.0.0.1",
        "escalation.change",
        escalation.to_string()
    ]);
    assert_eq!(json!(found), expected);
    // The maker in person leaves no token's name.
    let patch = server.request(Method::PATCH, &format!("/api/escalations/{escalation}"));
    answer(patch.bearer_auth(&agent.session).json(&json!({"status": "OPEN"}))).await;
    let log = server.request(Method::GET, "/api/audit-log?targetType=escalation").bearer_auth(&agent.session);
    assert_eq!(answer(log).await.1["content"][0]["mcpToken"], Value::Null);
}

#[tokio::test]
async fn a_mapping_is_set_whether_there_is_one_or_not() {
    let (server, _) = scene().await;
    let agent = Agent::new(&server, Role::Admin).await;
    let mut found = Vec::new();
    for target in [json!("REGISTRATION"), json!("LOGIN"), Value::Null] {
        // A name that has the other in it, and comes first.
        let other = json!({"kind": "EVENT_TYPE", "source": "a account opened", "target": "LOGIN"});
        agent.data(&server, "set_mapping", other).await;
        let set = json!({"kind": "EVENT_TYPE", "source": "Account.Opened", "target": target});
        let mapping = agent.data(&server, "set_mapping", set).await;
        found.push(json!([mapping["source"], mapping["target"]]));
    }
    let expected =
        json!([["account_opened", "REGISTRATION"], ["account_opened", "LOGIN"], ["account_opened", null]]);
    assert_eq!(json!(found), expected);
    let own = agent.data(&server, "list_mappings", json!({"scope": "CUSTOMER"})).await;
    assert_eq!(own["totalElements"], 2);
}

#[tokio::test]
async fn an_answer_and_a_request_have_limits() {
    let server = TestServer::start(Engine::Sqlite).await;
    for number in 0..5 {
        let data = json!({"name": "Ada", "note": "x".repeat(60_000)});
        let identity = json!({"id": format!("u{number}"), "data": data});
        server.post("/api/events", json!({"type": "user.signup", "identity": identity})).await;
    }
    let agent = Agent::new(&server, Role::Viewer).await;
    let two = agent.data(&server, "list_identities", json!({"pageSize": 2})).await;
    assert_eq!(two["content"].as_array().unwrap().len(), 2);
    let refusal = agent.refusal(&server, "list_identities", json!({})).await;
    let expected =
        "400 The result has more than 256 KiB. Ask for less, by a smaller pageSize or limit, or by filters.";
    assert_eq!(refusal, expected);
    assert!(server.reached(Limit::AgentResult) > 0);
    let long = json!({"name": "get_identity", "arguments": {"id": "x".repeat(33_000)}});
    let (status, body) = answer(message(&server, &agent.token, "tools/call", &long)).await;
    assert_eq!((status.as_u16(), &body["message"]), (413, &json!("The body is larger than 32 KiB.")));
    assert!(server.reached(Limit::BodySize) > 0);
}

#[tokio::test]
async fn a_token_may_make_so_many_requests() {
    let clock = Arc::new(ManualClock::at(dregs_core::time::Timestamp::from_millis(1_800_000_000_000)));
    let server = TestServer::start_at(Engine::Sqlite, &clock).await;
    let agent = Agent::new(&server, Role::Viewer).await;
    let other = Agent::new(&server, Role::Viewer).await;
    let ping = |agent: &Agent| message(&server, &agent.token, "ping", &json!({}));
    // A bucket holds two seconds' worth.
    for _ in 0..2 * MCP_REQUESTS_PER_SECOND {
        assert_eq!(ping(&agent).send().await.unwrap().status(), 200);
    }
    let refused = ping(&agent).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"1".parse().unwrap()));
    assert_eq!(ping(&other).send().await.unwrap().status(), 200);
    assert!(server.reached(Limit::McpRate) > 0);
}

#[tokio::test]
async fn an_agent_sees_no_secret_of_a_channel() {
    let server = TestServer::start(Engine::Sqlite).await;
    let config = json!({"url": "https://h.test/?key=hunter1", "headers": {"X-Key": "hunter2"}});
    let (_, secret) = server.channel("Hook", config).await;
    let slack = json!({"type": "SLACK", "name": "Slack", "events": ["ESCALATION_OPENED"],
        "config": {"url": "https://hooks.slack.com/services/T0/B0/hunter3"}});
    server.post("/api/channels", slack).await;
    let agent = Agent::new(&server, Role::Admin).await;
    let shown = agent.data(&server, "list_channels", json!({})).await;
    assert_eq!(shown.as_array().unwrap().len(), 2);
    for hidden in ["hunter1", "hunter2", "hunter3", &secret] {
        assert!(!shown.to_string().contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn the_manual_is_there_by_chapters() {
    let server = TestServer::start(Engine::Sqlite).await;
    let agent = Agent::new(&server, Role::Viewer).await;
    let list = agent.data(&server, "get_documentation", json!({})).await;
    let names: Vec<_> = list.as_array().unwrap().iter().map(|chapter| chapter["chapter"].clone()).collect();
    assert!(names.contains(&json!("MCP")), "{names:?}");
    let chapter = agent.data(&server, "get_documentation", json!({"chapter": "mcp"})).await;
    assert_eq!(chapter["text"], include_str!("../../../../../docs/manual/mcp.md"));
}

#[tokio::test]
async fn the_manual_names_every_tool_and_no_other() {
    let server = TestServer::start(Engine::Sqlite).await;
    let agent = Agent::new(&server, Role::Viewer).await;
    let listed = agent.ask(&server, "tools/list", json!({})).await;
    let tools = listed["result"]["tools"].as_array().unwrap().iter();
    let tools: BTreeSet<_> = tools.map(|tool| tool["name"].as_str().unwrap()).collect();
    let table =
        include_str!("../../../../../docs/manual/mcp.md").lines().filter(|line| line.starts_with("| "));
    let named =
        table.flat_map(|line| line.split('`').skip(1).step_by(2)).filter(|name| !name.starts_with('/'));
    assert_eq!(named.collect::<BTreeSet<_>>(), tools);
}

/// A message of a client that speaks an older version, and one without an id.
#[tokio::test]
async fn a_client_is_told_what_the_server_is() {
    let server = TestServer::start(Engine::Sqlite).await;
    let agent = Agent::new(&server, Role::Viewer).await;
    let client = json!({"protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}});
    let begun = agent.ask(&server, "initialize", client).await;
    let result = &begun["result"];
    assert_eq!(
        json!([result["protocolVersion"], result["serverInfo"]["name"], result["capabilities"]]),
        json!(["2025-06-18", "dregs", {"tools": {}}])
    );
    assert!(result["instructions"].as_str().unwrap().contains("untrusted"));
    let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let request = server.request(Method::POST, "/mcp").bearer_auth(&agent.token).json(&note);
    let request = request.header("Accept", "application/json, text/event-stream");
    assert_eq!(request.send().await.unwrap().status(), 202);
}
