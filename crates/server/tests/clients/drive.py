"""Drives a running server with every public method of the vendor's client.

In: {"flavour": "blocking" or "async", "baseUrl", "secretKey", "viewer": a viewer's token,
     "escalation": its id, "rule": its id, "fullUrl", "busyUrl", "brokenUrl": servers that refuse}
Out: what the client made of the answers.
"""

import asyncio
import inspect
import json
import sys
import time
from datetime import datetime, timezone

import dregs

PATIENCE_SECONDS = 20
ADA = "ada@example.com"


class Spy:
    """Passes calls on, answers all of them as awaitables, and remembers which were made."""

    def __init__(self, target, called):
        self.target, self.called = target, called

    def __getattr__(self, name):
        found = getattr(self.target, name)
        if not callable(found):
            return Spy(found, self.called)

        def call(*args, **kwargs):
            self.called.add((type(self.target).__name__.removeprefix("Async"), name))
            return found(*args, **kwargs) if name == "list_all" else answer(found, args, kwargs)

        return call


async def answer(call, args=(), kwargs={}):
    found = call(*args, **kwargs)
    return await found if inspect.isawaitable(found) else found


def methods(client):
    """Every public method there is: of the client and of what hangs on it."""
    holders = [client, *(value for name, value in vars(client).items() if not name.startswith("_"))]
    found = set()
    for holder in holders:
        for name, value in inspect.getmembers(type(holder), inspect.isfunction):
            if not name.startswith("_"):
                found.add((type(holder).__name__.removeprefix("Async"), name))
    return found - {("Dregs", "close"), ("Dregs", "aclose")}


async def collect(items):
    if hasattr(items, "__aiter__"):
        return [item async for item in items]
    return list(items)


async def eventually(what, ask):
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        found = await ask()
        if found:
            return found
        await asyncio.sleep(0.02)
    raise TimeoutError(what)


async def error(call):
    try:
        await call
    except dregs.DregsAPIError as error:
        retry = getattr(error, "retry_after", None)
        same_request = error.request_id == error.body["requestId"]
        return [type(error).__name__, error.status_code, error.body["code"], same_request, retry is not None and retry >= 1]
    return None


async def refused(client):
    """What is said to the first of a few events in a row that is one too many."""
    for _ in range(5):
        if said := await error(client.track("t", identity="ada")):
            return said
    return None


def numbers(page):
    return [len(page), page.page_number, page.page_size, page.total_pages, page.total_elements, page.first, page.last]


async def identities(client):
    api = client.identities
    every = [identity.id for identity in await collect(api.list_all(page_size=2, sort="id", order="asc"))]
    page = await api.list(page=1, page_size=3, sort="id", order="asc")
    newest = await api.list(page_size=100)
    updated = [identity.updated_at for identity in newest]
    filters = {
        "term": await api.list(term="D.USER@"),
        "group": await api.list(group="t/1", group_type="team"),
        "groupType": await api.list(group_type="team", page_size=1),
        "device": await api.list(device="f/1"),
        "badge": await api.list(badge="trusted"),
    }
    read = [await api.get(id) for id in every]
    scores = [await api.scores(id) for id in every]
    agree = [
        {score.category: score.value for score in scores} == {score.category: score.value for score in identity.scores}
        for scores, identity in zip(scores, read)
    ]
    analysis = await api.analysis(ADA)
    history = await api.history(ADA, limit=1)
    links = await api.links(ADA)
    before = analysis.id
    analyzed = await api.analyze(ADA)

    async def newer():
        return (await api.analysis(ADA)).id > before

    changed = await api.update("a/b", disregarded=True, attributes={"plan": "pro"})
    await eventually("the cycle that was asked for", newer)
    review = await api.review(ADA, feedback="This is a customer of many years.")

    async def finished():
        reviews = await api.reviews(ADA)
        return reviews if reviews[0].status != "PENDING" else None

    reviews = await eventually("the review", finished)
    return {
        "every": every,
        "page": [numbers(page), [identity.id for identity in page]],
        "newestFirst": updated == sorted(updated, reverse=True),
        "filtered": {name: [found.total_elements, sorted(i.id for i in found)] for name, found in filters.items() if name != "groupType"},
        "ofGroupType": filters["groupType"].total_elements,
        "emails": [identity.display_email for identity in read],
        "names": [identity.display_name for identity in read],
        "scored": all(len(of_one) > 0 for of_one in scores),
        "scoresAgree": all(agree),
        "analysis": [analysis.identity_id, analysis.event_count, analysis.device_count],
        "cycle": (await api.analysis(ADA, before)).observations == analysis.observations,
        "observations": all(o.id and o.label and o.explanation and 0 <= o.value <= 1 and 0 <= o.confidence <= 1 for o in analysis.observations),
        "history": [[entry.cycle_id == before, entry.event_count, entry.humanity == analysis.scores.humanity] for entry in history],
        "links": [[link.identity_id, link.type, 0 < link.value <= 1, 0 < link.confidence <= 1, bool(link.explanation), link.created_at is not None] for link in links],
        "analyzed": analyzed,
        "changed": [changed.id, changed.disregarded, changed.data["plan"]],
        "review": [review.identity_id, review.status, review.feedback, review.completed_at],
        "reviews": [[r.id == review.id, r.status, bool(r.summary), r.raw["reviewer"], r.error_message] for r in reviews],
    }


async def groups(client):
    api = client.groups
    made = await api.create("g 1/%", group_type="Work Space", attributes={"name": "Acme", "plan": "pro"})
    merged = await api.create("g 1/%", group_type="work_space", attributes={"plan": None, "seats": 5})
    changed = await api.update("work_space", "g 1/%", {"seats": 6})
    await api.create("g2", group_type="work_space")
    added = await api.add_member("work_space", "g 1/%", "emoji 🦊")
    await api.add_member("work_space", "g 1/%", "emoji 🦊")
    counted = await api.get("work_space", "g 1/%")
    of_identity = await api.list(identity="emoji 🦊", sort="displayName", order="asc")
    removed = await api.remove_member("work_space", "g 1/%", "emoji 🦊")
    left = await api.list(identity="emoji 🦊", group_type="work_space")
    return {
        "made": [made.type, made.id, made.display_name, made.identity_count, made.data],
        "merged": merged.data,
        "changed": changed.data,
        "added": [added, counted.identity_count],
        "ofIdentity": [[group.type, group.id, group.data] for group in of_identity],
        "removed": [removed, len(left)],
        "every": [group.id for group in await collect(api.list_all(page_size=1, sort="id", order="asc"))],
        "byTerm": sorted(group.id for group in await api.list(term="acm")),
        "ofTeam": (await api.get("Team", "t/1")).identity_count,
    }


async def events(client, generated):
    api = client.events
    one = await api.get("order 1/%🦊")
    ofs = {
        "identity": await api.list(identity=ADA),
        "group": await api.list(group="t/1", group_type="team"),
        "groupType": await api.list(group_type="team"),
        "device": await api.list(device="f/1"),
        "session": await api.list(session="s3"),
        "term": await api.list(term="ORDER.P"),
    }
    every = await collect(api.list_all(page_size=3, sort="timestamp", order="asc"))
    return {
        "one": [one.id, one.name, one.source, one.data, one.fingerprint, one.session, one.timestamp is not None],
        "identity": [one.identity.id, one.identity.label, one.identity.path],
        "groups": [[group.type, group.id, group.label, group.path] for group in one.groups],
        "canonical": one.canonical_type,
        "found": {
            name: sorted("generated" if event.id == generated else event.id for event in found)
            for name, found in ofs.items()
        },
        "every": len({event.id for event in every}),
        "inOrder": [event.timestamp for event in every] == sorted(event.timestamp for event in every),
        "browser": [ofs["session"][0].session, ofs["session"][0].ip, ofs["session"][0].url],
    }


async def devices(client):
    api = client.devices
    one = await api.get("f/1")
    changed = await api.update("f/1", disregarded=True)
    return {
        "one": [one.fingerprint, one.ip, one.user_agent, one.disregarded, one.first_seen_at <= one.last_seen_at],
        "changed": changed.disregarded,
        "back": (await api.update("f/1", disregarded=False)).disregarded,
        "every": sorted(device.fingerprint for device in await collect(api.list_all(page_size=2))),
        "ofIdentity": [device.fingerprint for device in await api.list(identity=ADA)],
        "byTerm": [device.fingerprint for device in await api.list(term="203.0.113.4")],
    }


async def escalations(client, given):
    api = client.escalations
    one = await api.get(given["escalation"])
    found = await api.list(status="open", severity="critical", identity=ADA, rule=given["rule"], sort="openedAt", order="desc")
    summary = await api.summary()
    changed = await api.update(given["escalation"], status="acknowledged")
    after = await api.summary()
    return {
        "one": [one.status, one.severity, one.identity.id, one.identity.path, one.rule.id, one.rule.label, dict(one.scores), one.closed_at],
        "found": [escalation.id == one.id for escalation in found],
        "every": len(await collect(api.list_all(page_size=1))),
        "none": len(await api.list(status="closed")),
        "changed": [changed.status, changed.acknowledged_at is not None],
        "summaries": [[s.open, s.acknowledged, s.closed] for s in (summary, after)],
    }


async def drive(given):
    kind = dregs.Dregs if given["flavour"] == "blocking" else dregs.AsyncDregs
    called = set()
    opened = []

    def connect(secret_key, base_url=given["baseUrl"]):
        opened.append(kind(secret_key, base_url=base_url, max_retries=0))
        return Spy(opened[-1], called)

    client = connect(given["secretKey"])
    stranger, viewer = connect("sk_unknown"), connect(given["viewer"])
    full, busy, broken = (connect(given["secretKey"], given[name]) for name in ("fullUrl", "busyUrl", "brokenUrl"))
    order = dict(
        identity=ADA,
        data={"total": 12, "cardNumber": "4111111111111111"},
        identity_data={"email": "a.user@example.com"},
        groups=[{"id": "acme", "data": {"name": "Acme"}}, {"type": "Team", "id": "t/1"}],
        event_id="order 1/%🦊",
        timestamp=datetime.now(timezone.utc),
        source="shop",
    )
    tracked = await client.track("order.placed", **order)
    again = await client.track("order.placed", **order)
    generated = await client.track("page_viewed", identity=ADA)

    async def both_scored():
        return (await client.identities.analysis(ADA)).event_count == 3

    await eventually("ada's three events to be scored", both_scored)
    said = {
        "tracked": [tracked.status, tracked.id, tracked.fingerprint, tracked.accepted, again == tracked, generated.accepted],
        "identities": await identities(client),
        "groups": await groups(client),
        "events": await events(client, generated.id),
        "devices": await devices(client),
        "escalations": await escalations(client, given),
        "errors": {
            "badEvent": await error(client.track("x" * 101, identity="ada")),
            "badSort": await error(client.identities.list(sort="shoeSize")),
            "stranger": await error(stranger.identities.scores(ADA)),
            "full": await error(full.track("t", identity="ada")),
            "viewer": await error(viewer.identities.update(ADA, disregarded=True)),
            "noIdentity": await error(client.identities.get("no/body")),
            "noCycle": await error(client.identities.analysis(ADA, 999)),
            "noGroup": await error(client.groups.get("team", "none")),
            "noEvent": await error(client.events.get("none")),
            "noDevice": await error(client.devices.get("none")),
            "noEscalation": await error(client.escalations.get(999)),
            "busy": await refused(busy),
            "broken": await error(broken.identities.links("ada")),
        },
        "notCalled": sorted(".".join(method) for method in methods(opened[0]) - called),
    }
    for one in opened:
        await answer(getattr(one, "aclose", None) or one.close)
    return said


json.dump(asyncio.run(drive(json.load(sys.stdin))), sys.stdout)
