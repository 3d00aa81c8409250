"""The client that openapi-python-client has made of openapi.json, against a running server: what each call gives.

Reads {folder, package, url, token} from standard input; writes a list of [operation, result]."""

import inspect
import json
import pathlib
import sys
from importlib import import_module

given = json.load(sys.stdin)
sys.path.insert(0, given["folder"])
package = given["package"]
models = import_module(f"{package}.models")
client = import_module(f"{package}.client").AuthenticatedClient(
    base_url=given["url"], token=given["token"], raise_on_unexpected_status=True
)
found = []


def call(place, *arguments, **named):
    """Calls an operation, and fails where the answer is none that the document has."""
    module = import_module(f"{package}.api.{place}")
    response = module.sync_detailed(*arguments, client=client, **named)
    assert response.status_code < 500, (place, response)
    found.append([place, int(response.status_code)])
    return response.parsed


def made(name, fields):
    return getattr(models, name).from_dict(fields)


def event(id, user):
    data = {"email": f"{user}@example.com", "name": "Ada Lovelace"}
    return made("EventBody", {
        "id": id, "type": "user.signup", "identity": {"id": user, "data": data}, "device": {"fingerprint": "f1"},
        "groups": [{"type": "team", "id": "t1"}], "data": {"plan": "pro"}, "timestamp": "2026-01-02T03:04:05.678Z",
    })


sent = call("events.send_event", body=event("e1", "ada"))
assert (sent.id, sent.status) == ("e1", "success"), sent
several = call("events.send_events", body=[event("e2", "ada"), event("e3", "eve")])
assert [one.id for one in several] == ["e2", "e3"], several
read = call("events.read_event", "e1")
assert (read.event_name, read.timestamp.isoformat()) == ("user.signup", "2026-01-02T03:04:05.678000+00:00"), read
assert read.event_data.to_dict() == {"plan": "pro"}, read
page = call("events.list_events", identity="ada", page_size=1)
assert (page.total_elements, page.last, len(page.content)) == (2, False, 1), page
ada = call("identities.read_identity", "ada")
assert (ada.id, ada.display_email, ada.disregarded) == ("ada", "ada@example.com", False), ada
assert call("identities.list_identities", page_size=10).total_elements == 2
changed = call("identities.change_identity", "eve", body=made("IdentityPatchBody", {"attributes": {"plan": "pro"}}))
assert changed.data.to_dict()["plan"] == "pro", changed
call("identities.read_scores", "ada")
call("identities.list_links", "ada")
call("identities.analyze_identity", "ada")
review = call("identities.review_identity", "ada", body=made("NewReviewBody", {"feedback": "A customer"}))
assert review.identity_id == "ada", review
exported = call("identities.export_identity", "ada")
assert exported is not None
group = call("groups.read_group", "team", "t1")
assert (group.type_, group.id) == ("team", "t1"), group
device = call("devices.read_device", "f1")
assert device.fingerprint == "f1", device
channel = call("channels.create_channel", body=made("NewChannelBody", {
    "type": "WEBHOOK", "name": "App", "events": ["identity.scored"], "config": {"url": given["endpoint"]},
}))
assert channel.signing_secret.startswith("whsec_"), channel
assert channel.config.to_dict()["url"] == given["endpoint"], channel
attempt = call("channels.test_channel", channel.id)
assert (attempt.status, attempt.http_status) == ("DELIVERED", 200), attempt
delivery = call("deliveries.read_delivery", attempt.delivery_id)
assert ["x-answered", "yes"] in [list(header) for header in delivery.attempts[0].response_headers], delivery
deliveries = call("deliveries.list_deliveries", channel.id, status="DELIVERED")
assert deliveries.content, deliveries
rotated = call("channels.rotate_secret", channel.id, body=made("RotateBody", {"overlapSeconds": 60}))
assert rotated.signing_secret != channel.signing_secret, rotated
rule = call("rules.create_escalation_rule", body=made("NewEscalationRuleBody", {
    "name": "Low", "severity": "WARNING", "channels": [],
    "conditions": [{"type": "SCORE_LT", "category": "ANY", "threshold": 20}],
}))
assert rule.conditions[0].threshold == 20, rule
call("escalations.list_escalations", status="OPEN")
call("escalations.count_escalations")
credential = call("credentials.create_credential", body=made("NewCredentialBody", {"name": "Shop"}))
assert credential.secret_key.startswith("sk_"), credential
call("dashboard.read_stats")
call("usage.read_usage")
call("auth.read_me")
# And everything else that can be read without saying what.
folder = pathlib.Path(given["folder"], package, "api")
for file in sorted(folder.glob("*/[a-z]*.py")):
    place = f"{file.parent.name}.{file.stem}"
    needed = inspect.signature(import_module(f"{package}.api.{place}").sync_detailed).parameters.values()
    is_read = '"method": "get"' in file.read_text() and place != "live.listen"
    if is_read and not any(one.name != "client" and one.default is one.empty for one in needed):
        call(place)
missing = call("identities.read_identity", "nobody")
assert (missing.status, missing.code) == (404, "identity_not_found"), missing
call("channels.remove_channel", channel.id)
json.dump(found, sys.stdout)
