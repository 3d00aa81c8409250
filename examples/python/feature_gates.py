"""Gate features by trust: what is easily abused is there for those whose scores have earned it."""

from flask import Flask, request

from inbox import Inbox, lowest_score, serve, user

# Each feature, and the lowest score that opens it.
FEATURES = {"read": 0, "comment": 40, "invite": 60, "export": 60}
# What somebody without scores is taken for.
SCORE_OF_STRANGERS = 50

app, inbox = Flask(__name__), Inbox()
# The lowest score of each user.
scores = {}


@app.post("/webhooks/dregs")
def webhook():
    event = inbox.open(request)
    if event and event["event"] == "IDENTITY_SCORED" and (lowest := lowest_score(event)) is not None:
        scores[event["identityId"]] = lowest
    return ""


@app.get("/features")
def features():
    score = scores.get(user(), SCORE_OF_STRANGERS)
    return [name for name, least in FEATURES.items() if score >= least]


serve(app)
