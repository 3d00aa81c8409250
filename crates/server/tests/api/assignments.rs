//! Working on escalations: who has which, and until when.

use std::collections::BTreeSet;
use std::sync::Arc;

use dregs_core::score::Scores;
use dregs_core::time::MINUTE_MS;
use dregs_server::store::escalations::{self, NewEscalation, Severity};
use dregs_server::store::users::Role;
use dregs_server::store::{Tx, identities};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{refusal, session, team};
use crate::on_both_engines;
use crate::support::engine::Engine;
use crate::support::server::{TestServer, answer, event};

on_both_engines!(
    an_escalation_has_one_who_works_on_it,
    two_people_never_take_the_same_case,
    ten_people_never_take_the_same_case,
    who_has_left_works_on_nothing,
    what_is_not_decided_in_time_is_overdue,
);

/// A person of the first team.
#[derive(Clone)]
struct Person {
    token: String,
    email: String,
}

struct Desk {
    server: Arc<TestServer>,
    ada: Person,
    bob: Person,
}

impl Desk {
    async fn open(engine: Engine) -> Self {
        let server = Arc::new(TestServer::start(engine).await);
        server.post("/api/events", event("e1", "customer")).await;
        let (ada, bob) = (person(&server, Role::Admin).await, person(&server, Role::User).await);
        Self { server, ada, bob }
    }

    /// Escalations of the first customer, the first of which has opened so many minutes ago; each by a rule of its own.
    async fn escalations(&self, severity: Severity, count: i64, minutes_ago: i64) -> Vec<i64> {
        let (team_id, now) = (team(&self.server.app).await, self.server.app.clock.now());
        let opened_at = now.plus_millis(-minutes_ago * MINUTE_MS);
        let first_rule = 1_000 * (severity as i64 + 1) + 10_000 * minutes_ago;
        let open = move |tx: &mut Tx| {
            let identity_id = identities::find(tx, team_id, "customer")?.unwrap().row_id;
            let mut opened = Vec::new();
            for rule_id in first_rule..first_rule + count {
                let new = NewEscalation {
                    team_id,
                    identity_id,
                    rule_id,
                    rule_name: format!("Rule {rule_id}"),
                    severity,
                    conditions: "[]".into(),
                    channels: "[]".into(),
                    scores: Scores::default(),
                    explanation: None,
                    event_id: None,
                    opened_at,
                };
                opened.extend(escalations::insert(tx, &new)?);
            }
            Ok(opened)
        };
        self.server.app.store.write(open).await.unwrap()
    }

    fn assign(&self, person: &Person, id: i64, body: &Value) -> RequestBuilder {
        request(&self.server, person, Method::POST, &format!("/api/escalations/{id}/actions/assign"))
            .json(body)
    }

    /// To whom an escalation is assigned by this.
    async fn assigned(&self, person: &Person, id: i64, body: Value) -> Value {
        let (status, escalation) = answer(self.assign(person, id, &body)).await;
        assert_eq!(status, 200, "{escalation}");
        escalation["assignee"].clone()
    }

    async fn take(&self, person: &Person, body: Value) -> Value {
        let (status, taken) = answer(
            request(&self.server, person, Method::POST, "/api/escalations/actions/take-next").json(&body),
        )
        .await;
        assert_eq!(status, 200, "{taken}");
        taken["escalation"].clone()
    }

    /// The ids that a person is listed, the oldest first.
    async fn ids(&self, person: &Person, query: &str) -> Vec<i64> {
        let path = format!("/api/escalations?sort=openedAt&order=ASC&{query}");
        let (status, page) = answer(request(&self.server, person, Method::GET, &path)).await;
        assert_eq!(status, 200, "{page}");
        page["content"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect()
    }

    async fn summary(&self, person: &Person) -> Value {
        answer(request(&self.server, person, Method::GET, "/api/escalations/summary")).await.1
    }

    async fn audited(&self) -> Vec<Value> {
        let log = request(
            &self.server,
            &self.ada,
            Method::GET,
            "/api/audit-log?action=escalation.assign&order=ASC",
        );
        let (_, log) = answer(log).await;
        let told =
            |entry: &Value| json!([entry["actor"], entry["before"]["assignee"], entry["after"]["assignee"]]);
        log["content"].as_array().unwrap().iter().map(told).collect()
    }
}

fn request(server: &TestServer, person: &Person, method: Method, path: &str) -> RequestBuilder {
    server.request(method, path).bearer_auth(&person.token)
}

async fn person(server: &TestServer, role: Role) -> Person {
    let token = session(&server.app, team(&server.app).await, role).await;
    let email = format!("{token}@example.com");
    Person { token, email }
}

async fn an_escalation_has_one_who_works_on_it(engine: Engine) {
    let desk = Desk::open(engine).await;
    let Desk { ada, bob, .. } = &desk;
    let viewer = person(&desk.server, Role::Viewer).await;
    let [first, second] = desk.escalations(Severity::Info, 2, 0).await[..] else { panic!("two") };
    let shown = desk.server.get(&format!("/api/escalations/{first}")).await;
    assert_eq!(
        (&shown["assignee"], &shown["dueAt"], &shown["overdue"]),
        (&json!(null), &json!(null), &json!(false))
    );

    assert_eq!(desk.assigned(bob, first, json!({"assignee": "me"})).await, json!(bob.email));
    assert_eq!(
        desk.assigned(bob, first, json!({"assignee": "ME"})).await,
        json!(bob.email),
        "nothing changes"
    );
    let taken = format!("409 escalation_assigned {} works on it. Use `force` to reassign it.", bob.email);
    for wanted in [json!({"assignee": "me"}), json!({"assignee": null}), json!({"assignee": ada.email})] {
        assert_eq!(refusal(desk.assign(ada, first, &wanted)).await, taken);
    }
    let forced = json!({"assignee": ada.email.to_uppercase(), "force": true});
    assert_eq!(desk.assigned(ada, first, forced).await, json!(ada.email));
    assert_eq!(
        desk.assigned(ada, first, json!({"assignee": bob.email})).await,
        json!(bob.email),
        "one's own"
    );
    assert_eq!(desk.ids(bob, "assignee=me").await, [first]);
    assert_eq!(desk.ids(ada, "assignee=me").await, [0; 0]);
    assert_eq!(desk.ids(ada, &format!("assignee={}&status=ACTIVE", bob.email)).await, [first]);
    assert_eq!(desk.ids(ada, "assignee=none").await, [second]);
    assert_eq!((&desk.summary(bob).await["mine"], &desk.summary(ada).await["mine"]), (&json!(1), &json!(0)));
    assert_eq!(desk.assigned(bob, first, json!({"assignee": null})).await, json!(null));
    let log = json!([
        [bob.email, null, bob.email],
        [ada.email, bob.email, ada.email],
        [ada.email, ada.email, bob.email],
        [bob.email, bob.email, null],
    ]);
    assert_eq!(json!(desk.audited().await), log);

    let wrong = [
        (json!({}), "assignee: is required"),
        (json!({"assignee": "eve"}), "assignee: is the e-mail address or the id of no member"),
        (json!({"assignee": viewer.email}), "assignee: is a viewer, who may only read"),
    ];
    for (body, told) in wrong {
        assert_eq!(refusal(desk.assign(ada, first, &body)).await, format!("400 bad_request {told}"));
    }
    let key = desk.server.call(Method::GET, "/api/escalations?assignee=me", None).await;
    assert_eq!(key.1["message"], "assignee: `me` is whoever is signed in: name a member");
    desk.server.patch(&format!("/api/escalations/{first}"), json!({"status": "CLOSED"})).await;
    let closed = "409 wrong_state A closed escalation is nobody's to work on. Reopen it first.";
    assert_eq!(refusal(desk.assign(ada, first, &json!({"assignee": "me"}))).await, closed);

    let warning = desk.escalations(Severity::Warning, 1, 5).await[0];
    assert_eq!(desk.take(ada, json!({"severity": "info"})).await["id"], second);
    assert_eq!(desk.take(ada, json!({"identity": "nobody"})).await, Value::Null);
    let next = desk.take(bob, json!({})).await;
    assert_eq!((&next["id"], &next["assignee"]), (&json!(warning), &json!(bob.email)));
    assert_eq!(desk.take(bob, json!({})).await, Value::Null, "nothing is left");
}

async fn two_people_never_take_the_same_case(engine: Engine) {
    take_all(engine, 2).await;
}

async fn ten_people_never_take_the_same_case(engine: Engine) {
    take_all(engine, 10).await;
}

const CASES: i64 = 200;

async fn take_all(engine: Engine, people: usize) {
    let desk = Arc::new(Desk::open(engine).await);
    let all = desk.escalations(Severity::Info, CASES / 2, 0).await.into_iter();
    let all: BTreeSet<_> = all.chain(desk.escalations(Severity::Critical, CASES / 2, 0).await).collect();
    let mut taking = JoinSet::new();
    for _ in 0..people {
        let (desk, person) = (Arc::clone(&desk), person(&desk.server, Role::User).await);
        taking.spawn(async move {
            let mut own = Vec::new();
            while let Some(id) = desk.take(&person, json!({})).await["id"].as_i64() {
                own.push(id);
            }
            assert_eq!(desk.ids(&person, "assignee=me&pageSize=100").await.len(), own.len().min(100));
            own
        });
    }
    let taken = taking.join_all().await.concat();
    assert_eq!(taken.len(), usize::try_from(CASES).unwrap(), "no case twice");
    assert_eq!(BTreeSet::from_iter(taken), all);
}

async fn who_has_left_works_on_nothing(engine: Engine) {
    let desk = Desk::open(engine).await;
    let [held, done] = desk.escalations(Severity::Info, 2, 0).await[..] else { panic!("two") };
    let bob = &desk.bob;
    for id in [held, done] {
        desk.assigned(bob, id, json!({"assignee": "me"})).await;
    }
    desk.server.patch(&format!("/api/escalations/{done}"), json!({"status": "CLOSED"})).await;
    let assignees = async || {
        let mut all = Vec::new();
        for id in [held, done] {
            all.push(desk.server.get(&format!("/api/escalations/{id}")).await["assignee"].clone());
        }
        all
    };
    let (_, me) = answer(request(&desk.server, bob, Method::GET, "/api/auth/me")).await;
    let member = format!("/api/team/members/{}", me["id"]);
    let demote = request(&desk.server, &desk.ada, Method::PATCH, &member).json(&json!({"role": "VIEWER"}));
    assert_eq!(answer(demote).await.0, 200);
    assert_eq!(assignees().await, [json!(null), json!(bob.email)], "who has decided stays known");
    let promote = request(&desk.server, &desk.ada, Method::PATCH, &member).json(&json!({"role": "USER"}));
    assert_eq!(answer(promote).await.0, 200);
    desk.assigned(bob, held, json!({"assignee": "me"})).await;
    assert_eq!(answer(request(&desk.server, &desk.ada, Method::DELETE, &member)).await.0, 204);
    assert_eq!(assignees().await, [json!(null), json!(bob.email)]);
    assert_eq!(desk.take(&desk.ada, json!({})).await["id"], held, "it is free again");
}

async fn what_is_not_decided_in_time_is_overdue(engine: Engine) {
    let desk = Desk::open(engine).await;
    let ada = &desk.ada;
    let critical = desk.escalations(Severity::Critical, 1, 90).await[0];
    let warning = desk.escalations(Severity::Warning, 1, 90).await[0];
    let fresh = desk.escalations(Severity::Critical, 1, 10).await[0];
    let set = async |minutes: Value| {
        let patch =
            request(&desk.server, ada, Method::PATCH, "/api/team").json(&json!({"dueMinutes": minutes}));
        answer(patch).await
    };
    let team = desk.server.get("/api/team").await;
    assert_eq!(
        team["dueMinutes"],
        json!({"critical": null, "warning": null, "info": null}),
        "none is set at first"
    );
    assert_eq!(desk.summary(ada).await["overdue"], 0);
    assert_eq!(desk.ids(ada, "overdue=true").await, [0; 0]);

    let (_, team) = set(json!({"critical": 60, "warning": 1440, "info": null})).await;
    assert_eq!(team["dueMinutes"], json!({"critical": 60, "warning": 1440, "info": null}));
    assert_eq!(desk.ids(ada, "overdue=true").await, [critical], "what was open before, too");
    assert_eq!(desk.ids(ada, "overdue=false").await, [warning, fresh]);
    let shown = desk.server.get(&format!("/api/escalations/{critical}")).await;
    let after = |from: &Value, to: &Value| {
        let millis =
            |time: &Value| dregs_core::time::Timestamp::parse(time.as_str().unwrap()).unwrap().as_millis();
        millis(to) - millis(from)
    };
    assert_eq!(after(&shown["openedAt"], &shown["dueAt"]), 60 * MINUTE_MS);
    assert_eq!(shown["overdue"], true);
    assert_eq!(desk.take(ada, json!({"overdue": false})).await["id"], fresh);
    set(json!({"critical": 60, "warning": 30, "info": null})).await;
    assert_eq!(desk.ids(ada, "overdue=true").await, [critical, warning], "a changed time holds at once");
    assert_eq!(desk.summary(ada).await["overdue"], 2);
    let stats = desk.server.get("/api/dashboard/stats").await;
    assert_eq!(stats["escalations"]["overdue"], 2);
    desk.server.patch(&format!("/api/escalations/{critical}"), json!({"status": "ACKNOWLEDGED"})).await;
    assert_eq!(desk.summary(ada).await["overdue"], 2, "to know of it is not to decide");
    desk.server.patch(&format!("/api/escalations/{critical}"), json!({"status": "CLOSED"})).await;
    assert_eq!(desk.ids(ada, "overdue=true").await, [warning]);

    for (minutes, told) in [
        (
            json!({"critical": 0, "warning": 527_041, "info": null}),
            "dueMinutes.critical: must be from 1 to 527040 minutes, or null; \
          dueMinutes.warning: must be from 1 to 527040 minutes, or null",
        ),
        (json!({"critical": 60}), "dueMinutes.warning: is required; dueMinutes.info: is required"),
    ] {
        let (status, refused) = set(minutes).await;
        assert_eq!((status.as_u16(), refused["message"].as_str().unwrap()), (400, told));
    }
}
