"""Quarantine on low scores: an account that looks like a bot, or like one of many of the same person, can
read and not write, while its scores are low and nobody has looked at it; one that is labeled as bad, while it is."""

from flask import Flask, request

from inbox import Inbox, Reviews, low, serve, text, user

SCORE_MIN = 30
# Low scores in these keep somebody from writing.
CATEGORIES = {"humanity", "uniqueness"}

app, inbox, reviews = Flask(__name__), Inbox(), Reviews()
# Which scores of each user are low.
notes, suspects = [], {}


def is_quarantined(who):
    return reviews.is_bad(who) or any(not reviews.has_cleared(who, category) for category in suspects.get(who, ()))


@app.post("/webhooks/dregs")
def webhook():
    event = inbox.open(request)
    if event and event["event"] == "IDENTITY_SCORED":
        suspects[event["identityId"]] = low(event["data"]["scores"], SCORE_MIN) & CATEGORIES
    elif event:
        reviews.take(event)
    return ""


@app.post("/notes")
def write():
    if is_quarantined(user()):
        return {"error": "Your account is read-only until somebody has looked at it."}, 403
    notes.append({"user": user(), "text": text("text")})
    return {}, 201


@app.get("/notes")
def read():
    return notes


serve(app)
