"""Rate limits by score: whoever is trusted may ask often, whoever is suspicious seldom."""

import time
from collections import Counter

from flask import Flask, request

from inbox import Inbox, lowest_score, serve, user

app, inbox = Flask(__name__), Inbox()
# The lowest score of each user, and the requests of each user and minute.
scores, requests = {}, Counter()


def allowed(lowest):
    """Requests a minute, by the lowest of the four scores."""
    if lowest is None:
        return 20
    return 100 if lowest >= 70 else 3 if lowest < 40 else 20


@app.post("/webhooks/dregs")
def webhook():
    event = inbox.open(request)
    if event and event["event"] == "IDENTITY_SCORED" and (lowest := lowest_score(event)) is not None:
        scores[event["identityId"]] = lowest
    return ""


@app.get("/search")
def find():
    minute, second = divmod(int(time.time()), 60)
    for old in [key for key in requests if key[1] != minute]:
        del requests[old]
    requests[user(), minute] += 1
    left = allowed(scores.get(user())) - requests[user(), minute]
    if left < 0:
        return "", 429, {"Retry-After": str(60 - second)}
    return {"results": [], "left": left}


serve(app)
