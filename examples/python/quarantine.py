"""Quarantine on low scores: an account that looks like a bot, or like one of many of the same person, can
read and not write, until somebody has looked at it."""

from flask import Flask, request

from inbox import Inbox, is_below, serve, user

SCORE_MIN = 30

app, inbox = Flask(__name__), Inbox()
notes, quarantined = [], set()
# Somebody has looked at them; their scores alone say no more.
reviewed = set()


@app.post("/webhooks/dregs")
def webhook():
    event = inbox.open(request)
    if event is None:
        return ""
    who = event.get("identityId")
    if event["event"] == "IDENTITY_SCORED":
        is_low = any(is_below(event, category, SCORE_MIN) for category in ("humanity", "uniqueness"))
        if is_low and who not in reviewed:
            quarantined.add(who)
    elif event["event"] == "ESCALATION_CLOSED":
        quarantined.discard(who)
        reviewed.add(who)
    elif event["event"] == "ESCALATION_OPENED":
        # It is worse than before: whatever was found then counts no more.
        reviewed.discard(who)
        quarantined.add(who)
    return ""


@app.post("/notes")
def write():
    if user() in quarantined:
        return {"error": "Your account is read-only until somebody has looked at it."}, 403
    notes.append({"user": user(), "text": request.json["text"]})
    return {}, 201


@app.get("/notes")
def read():
    return notes


serve(app)
