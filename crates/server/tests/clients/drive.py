"""Drives a running server with the vendor's client.

In: {"baseUrl": "...", "secretKey": "..."}
Out: what the client made of the answers.
"""

import json
import sys
import time
from datetime import datetime, timezone

import dregs

PATIENCE_SECONDS = 20


def error(call):
    try:
        call()
    except dregs.DregsAPIError as error:
        return [type(error).__name__, error.status_code, error.body["code"], error.request_id == error.body["requestId"]]
    return None


def scored(client, identity):
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        try:
            return client.identities.analysis(identity)
        except dregs.NotFoundError:
            time.sleep(0.02)
    raise TimeoutError(identity)


def main():
    given = json.load(sys.stdin)
    base_url, secret_key = given["baseUrl"], given["secretKey"]
    client = dregs.Dregs(secret_key, base_url=base_url, max_retries=0)
    stranger = dregs.Dregs("sk_unknown", base_url=base_url, max_retries=0)

    tracked = client.track(
        "user.signup",
        identity="ada/1@example.com",
        data={"plan": "pro"},
        identity_data={"email": "ada@example.com", "name": "Ada Lovelace"},
        groups=[{"id": "acme", "data": {"name": "Acme"}}, {"type": "Team", "id": "t1"}],
        event_id="order-1",
        timestamp=datetime.now(timezone.utc),
        source="shop",
    )
    generated = client.track("user.login", identity="ada/1@example.com")
    analysis = scored(client, "ada/1@example.com")
    identity = client.identities.get("ada/1@example.com")
    scores = client.identities.scores("ada/1@example.com")
    cycle = client.identities.analysis("ada/1@example.com", analysis.id)
    said = {
        "tracked": [tracked.status, tracked.id, tracked.fingerprint, tracked.accepted],
        "generated": generated.accepted,
        "identity": [identity.id, identity.display_name, identity.display_email, identity.disregarded],
        "data": identity.data,
        "times": [t is not None for t in (identity.created_at, identity.updated_at, identity.last_tracked_at)],
        "scored": sorted(score.category.value for score in scores),
        "scoresAgree": {s.category: s.value for s in cycle.scores} == {s.category: s.value for s in analysis.scores},
        "analysis": [analysis.identity_id, analysis.event_count >= 1, analysis.device_count],
        "observations": all(
            o.id and o.label and o.explanation and 0 <= o.value <= 1 and 0 <= o.confidence <= 1
            for score in analysis.scores
            for o in score.observations
        ),
        "errors": {
            "badEvent": error(lambda: client.track("x" * 101, identity="ada")),
            "noIdentity": error(lambda: client.identities.get("nobody")),
            "noCycle": error(lambda: client.identities.analysis("ada/1@example.com", 999)),
            "stranger": error(lambda: stranger.identities.scores("ada")),
            "strangerTracks": error(lambda: stranger.track("t", identity="ada")),
        },
    }
    json.dump(said, sys.stdout)


main()
