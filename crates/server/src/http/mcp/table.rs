//! The tools, a row each: what it is for, which operation of the API it is, what it does to the world, and the page of
//! the dashboard that shows the same.

/// A tool.
pub struct Row {
    pub name: &'static str,
    /// By which an agent chooses.
    pub description: &'static str,
    pub runs: Runs,
    pub effect: Effect,
    /// With arguments of the tool as `{…}`.
    pub page: &'static str,
}

/// What a tool calls: operations by their ids in the OpenAPI document.
pub enum Runs {
    One([(&'static str, &'static str); 1]),
    /// One, with these arguments alone, all of which it needs.
    Narrowed([(&'static str, &'static str); 1], &'static [&'static str]),
    /// Several that read, whose answers stand under these names.
    Each(&'static [(&'static str, &'static str)]),
    /// Creates a mapping, or changes the one that there is.
    SetMapping,
    /// None: a chapter of the documentation.
    Chapter,
}

impl Runs {
    /// The operations, each with the name of its part of the result.
    pub fn operations(&self) -> &[(&'static str, &'static str)] {
        match self {
            Self::One(one) | Self::Narrowed(one, _) => one,
            Self::Each(several) => several,
            Self::SetMapping => &[("", "createMapping"), ("", "listMappings"), ("", "changeMapping")],
            Self::Chapter => &[],
        }
    }
}

/// What a tool does to the world, as MCP's annotations tell it.
#[derive(Clone, Copy)]
pub struct Effect {
    pub is_read_only: bool,
    /// Whether something goes, or is written over.
    pub is_destructive: bool,
    /// Whether doing it again changes nothing more.
    pub is_idempotent: bool,
    /// Whether others than this server have to do with it.
    pub is_open_world: bool,
}

const READS: Effect =
    Effect { is_read_only: true, is_destructive: false, is_idempotent: true, is_open_world: false };
const ADDS: Effect = Effect { is_read_only: false, is_idempotent: false, ..READS };
const OVERWRITES: Effect = Effect { is_read_only: false, is_destructive: true, ..READS };

const fn row(
    name: &'static str,
    operation: &'static str,
    effect: Effect,
    page: &'static str,
    description: &'static str,
) -> Row {
    Row { name, description, runs: Runs::One([("", operation)]), effect, page }
}

pub const TABLE: &[Row] = &[
    Row {
        runs: Runs::Each(&[("me", "readMe"), ("team", "readTeam"), ("usage", "readUsage")]),
        ..row(
            "get_account_summary",
            "",
            READS,
            "/",
            "Tells whom you act as and their role, the team, and the events it has sent this month, day by day.",
        )
    },
    row(
        "dashboard_stats",
        "readStats",
        READS,
        "/",
        "Figures of a time, the last 24 hours by default: events, identities, scores and escalations.",
    ),
    row(
        "dashboard_score_distribution",
        "readScoreDistribution",
        READS,
        "/",
        "How many identities have which scores, for each of the four categories.",
    ),
    row(
        "dashboard_rule_activity",
        "readRuleActivity",
        READS,
        "/",
        "What each escalation rule has opened and closed in a time.",
    ),
    Row {
        runs: Runs::Chapter,
        ..row(
            "get_documentation",
            "",
            Effect { is_open_world: true, ..READS },
            "/manual",
            "The manual: what scores, badges and rules mean, and how to work with them. Without a chapter it lists the \
             chapters.",
        )
    },
    row(
        "list_identities",
        "listIdentities",
        READS,
        "/identities",
        "Lists or searches identities, the users of the application: by name, e-mail address, device, group, badge or \
         scores.",
    ),
    row(
        "get_identity",
        "readIdentity",
        READS,
        "/identities/{id}",
        "One identity: its fields, scores, badges and counts. The id is the application's own id of the user.",
    ),
    row(
        "get_identity_analysis",
        "readAnalysis",
        READS,
        "/identities/{id}",
        "Why an identity has its scores: each observation of the newest analysis, with an explanation and its weight.",
    ),
    row(
        "get_identity_decision",
        "readDecision",
        READS,
        "/identities/{id}",
        "What the application would decide by now: the scores, badges and open escalations of an identity, and which rules \
         match.",
    ),
    row(
        "get_identity_history",
        "readHistory",
        READS,
        "/identities/{id}",
        "How the scores of an identity went, newest first.",
    ),
    Row {
        runs: Runs::Each(&[("links", "listLinks"), ("cluster", "readCluster")]),
        ..row(
            "get_identity_links",
            "",
            READS,
            "/identities/{id}",
            "What links an identity to others, the strongest first, and the cluster around it: the ring of those whom \
             strong links hold together.",
        )
    },
    row(
        "search_events",
        "listEvents",
        READS,
        "/events",
        "Searches what users did: by identity, group, device, session, type, term and time, newest first.",
    ),
    row(
        "analyze_identity",
        "analyzeIdentity",
        ADDS,
        "/identities/{id}",
        "Has an identity analyzed again. The answer comes before the analysis: read get_identity_analysis a second later.",
    ),
    Row {
        runs: Runs::Narrowed([("", "changeIdentity")], &["id", "disregarded"]),
        ..row(
            "set_identity_disregarded",
            "",
            OVERWRITES,
            "/identities/{id}",
            "Leaves an identity, such as one of your own staff, out of the analysis of others, of rules and of \
             escalations; or takes it in again.",
        )
    },
    row(
        "preview_label",
        "previewLabel",
        READS,
        "/identities/{id}",
        "Tells what a label would do, without giving it: whose scores, badges and escalations would change, and what \
         would be sent. Do this before you label.",
    ),
    row(
        "label_identity",
        "labelIdentity",
        OVERWRITES,
        "/identities/{id}",
        "Labels an identity as GOOD or BAD, as a person has decided. GOOD takes off the badges that accuse and closes \
         its escalations; BAD gives the badge confirmed-bad, which applications act on.",
    ),
    row(
        "list_identity_labels",
        "listLabelsOfIdentity",
        READS,
        "/identities/{id}",
        "What people, chargebacks and appeals have said of an identity, newest first.",
    ),
    row(
        "withdraw_label",
        "withdrawLabel",
        OVERWRITES,
        "/",
        "Withdraws a label by its number: it counts no more, and stays in the list.",
    ),
    row(
        "list_devices",
        "listDevices",
        READS,
        "/devices",
        "Lists devices, with the number of identities that were seen on each.",
    ),
    row(
        "get_device",
        "readDevice",
        READS,
        "/devices/{fingerprint}",
        "One device: what it is, who was seen on it, and when.",
    ),
    row(
        "list_escalations",
        "listEscalations",
        READS,
        "/escalations",
        "Lists escalations, which rules open for people to look at: by status, severity, identity or rule.",
    ),
    row(
        "get_escalation",
        "readEscalation",
        READS,
        "/escalations",
        "One escalation: its rule, the identity, its scores when it opened, and who moved it.",
    ),
    row(
        "escalation_summary",
        "countEscalations",
        READS,
        "/escalations",
        "How many escalations are open and acknowledged, by severity.",
    ),
    row(
        "update_escalation_status",
        "changeEscalation",
        OVERWRITES,
        "/escalations",
        "Acknowledges, closes or reopens an escalation. A reason belongs to closing only.",
    ),
    row(
        "get_escalation_history",
        "readEscalationHistory",
        READS,
        "/escalations",
        "What has become of an escalation: who moved, assigned and labeled, and what people have noted.",
    ),
    row(
        "add_escalation_note",
        "addEscalationNote",
        ADDS,
        "/escalations",
        "Adds a note to an escalation, for the team alone. Members are mentioned by @ and their e-mail address.",
    ),
    row(
        "set_escalation_assignee",
        "assignEscalation",
        OVERWRITES,
        "/escalations",
        "Assigns an escalation to a member, or to nobody. What somebody else has is left with them, unless force.",
    ),
    row(
        "snooze_escalation",
        "snoozeEscalation",
        OVERWRITES,
        "/escalations",
        "Closes an escalation, and has its rule open no other one of the same identity before a time.",
    ),
    row(
        "end_snooze",
        "endSnooze",
        ADDS,
        "/identities/{id}",
        "Ends a snooze of an escalation rule for an identity: it opens an escalation if its conditions hold.",
    ),
    row(
        "list_escalation_waves",
        "listWaves",
        READS,
        "/escalations",
        "Lists what identities with open escalations have in common, such as a device: the largest waves first. To share \
         something is no guilt.",
    ),
    row(
        "preview_bulk_change",
        "previewBulkChange",
        READS,
        "/escalations",
        "Tells what a change of many escalations would do, without making it. Do this before you change many.",
    ),
    row(
        "update_escalations",
        "createBulkChange",
        OVERWRITES,
        "/escalations",
        "Changes many escalations at once, by ids or by a filter: acknowledges, closes, labels or assigns them, in the \
         background. It can be undone. A BAD label gives the badge confirmed-bad, which applications act on.",
    ),
    row(
        "list_bulk_changes",
        "listBulkChanges",
        READS,
        "/escalations",
        "Lists the changes of many escalations of the last days, and how far each is.",
    ),
    row(
        "undo_bulk_change",
        "undoBulkChange",
        OVERWRITES,
        "/escalations",
        "Undoes a change of many escalations, but for what somebody has changed since.",
    ),
    row(
        "dashboard_decisions",
        "readDecisions",
        READS,
        "/",
        "How fast people decide on escalations, by week and by person, and how often two of them decide alike.",
    ),
    row(
        "get_accuracy",
        "readAccuracy",
        READS,
        "/rules",
        "How often each rule, badge and analyzer was right, by the labels that people have given, with intervals.",
    ),
    row(
        "list_escalation_rules",
        "listEscalationRules",
        READS,
        "/rules",
        "Lists the escalation rules with their conditions.",
    ),
    row(
        "get_escalation_rule",
        "readEscalationRule",
        READS,
        "/escalation-rules/{id}",
        "One escalation rule: its conditions, how long they must hold, and whom it notifies.",
    ),
    row(
        "preview_escalation_rule",
        "previewEscalationRule",
        READS,
        "/rules",
        "Counts the identities that meet conditions now, without creating anything. Do this before you create or update \
         an escalation rule.",
    ),
    row(
        "create_escalation_rule",
        "createEscalationRule",
        ADDS,
        "/rules",
        "Creates an escalation rule, which opens an escalation when all its conditions hold. Preview its conditions first.",
    ),
    row(
        "update_escalation_rule",
        "replaceEscalationRule",
        OVERWRITES,
        "/escalation-rules/{id}",
        "Replaces all of an escalation rule: what you leave out gets its default. Read it first, and send it whole.",
    ),
    row(
        "delete_escalation_rule",
        "removeEscalationRule",
        OVERWRITES,
        "/rules",
        "Deletes an escalation rule for good. To stop it for a while, update it with enabled false.",
    ),
    row(
        "list_badge_rules",
        "listBadgeRules",
        READS,
        "/rules",
        "Lists the badge rules, which give identities badges by their scores and age.",
    ),
    row(
        "get_badge_rule",
        "readBadgeRule",
        READS,
        "/badge-rules/{id}",
        "One badge rule: its conditions, how long they must hold, and its priority.",
    ),
    row(
        "create_badge_rule",
        "createBadgeRule",
        ADDS,
        "/rules",
        "Creates a badge rule, which gives a badge to the identities for whom all its conditions hold.",
    ),
    row(
        "update_badge_rule",
        "replaceBadgeRule",
        OVERWRITES,
        "/badge-rules/{id}",
        "Replaces all of a badge rule: what you leave out gets its default. Read it first, and send it whole.",
    ),
    row(
        "delete_badge_rule",
        "removeBadgeRule",
        OVERWRITES,
        "/rules",
        "Deletes a badge rule for good, and takes its badge from all who have it.",
    ),
    row(
        "list_channels",
        "listChannels",
        READS,
        "/settings/channels",
        "Lists the channels by which applications and people are notified, and how each is doing. Secrets are masked.",
    ),
    row(
        "get_channel",
        "readChannel",
        READS,
        "/settings/channels/{id}",
        "One channel: its configuration, with secrets masked, and how it is doing.",
    ),
    row(
        "list_channel_deliveries",
        "listDeliveries",
        READS,
        "/settings/channels/{id}",
        "What was sent by a channel, and what became of it: by status, answer, error, event, identity and time.",
    ),
    row(
        "test_channel",
        "testChannel",
        Effect { is_open_world: true, ..ADDS },
        "/settings/channels/{id}",
        "Sends a test event by a channel, now, to whoever receives there.",
    ),
    row(
        "list_datasets",
        "listDatasets",
        READS,
        "/settings/datasets",
        "Lists the datasets, such as disposable e-mail domains, that scoring looks things up in.",
    ),
    row(
        "list_dataset_entries",
        "listDatasetEntries",
        READS,
        "/settings/datasets",
        "Lists or searches the entries of a dataset: built-in (GLOBAL) and the team's own (CUSTOMER).",
    ),
    row(
        "add_dataset_entry",
        "createDatasetEntry",
        ADDS,
        "/settings/datasets",
        "Adds an entry of the team's own to a dataset, or excludes a built-in value from it.",
    ),
    row(
        "remove_dataset_entry",
        "removeDatasetEntry",
        OVERWRITES,
        "/settings/datasets",
        "Removes one of the team's own entries from a dataset.",
    ),
    row(
        "list_mappings",
        "listMappings",
        READS,
        "/settings/mappings",
        "Lists what names of events and of identities' fields mean: built-in (GLOBAL) and the team's own (CUSTOMER).",
    ),
    Row {
        runs: Runs::SetMapping,
        ..row(
            "set_mapping",
            "",
            OVERWRITES,
            "/settings/mappings",
            "Says what a name of an event or of an identity's field means, for the past as well: creates the team's \
             mapping of it, or changes the one there is. Those it concerns are scored again.",
        )
    },
    row(
        "delete_mapping",
        "removeMapping",
        OVERWRITES,
        "/settings/mappings",
        "Deletes a mapping of the team's own, by its id: the built-in meaning of the name, if any, holds again.",
    ),
];

#[cfg(test)]
mod tests {
    use super::TABLE;

    /// The manual is no page of the dashboard.
    #[test]
    fn every_page_is_one_of_the_dashboards() {
        let router = include_str!("../../../../../web/dashboard/src/app/router.tsx");
        for row in TABLE.iter().filter(|row| row.page != "/manual") {
            let path = row.page.replace('{', "$").replace('}', "");
            let route = match path.strip_prefix("/settings") {
                Some(setting) => format!("...setting, path: \"{setting}\""),
                None => format!("...inside, path: \"{path}\""),
            };
            assert!(router.contains(&route), "{}: {}", row.name, row.page);
        }
    }
}
