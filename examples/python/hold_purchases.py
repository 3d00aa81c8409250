"""Hold a purchase for review: a purchase is told to dregs, and waits for the scores that come of it. With low
Authenticity it is held until a reviewer closes the escalation."""

import os
import threading

from dregs import Dregs
from flask import Flask, abort, request

from inbox import Inbox, is_below, serve, user

AUTHENTICITY_MIN = 40

app, inbox = Flask(__name__), Inbox()
dregs = Dregs(os.environ["DREGS_SECRET_KEY"], base_url=os.environ["DREGS_URL"])
purchases, lock = {}, threading.Lock()


def settle(who, before, after):
    """Moves the purchases of a user from one status to another."""
    with lock:
        for purchase in purchases.values():
            if purchase["user"] == who and purchase["status"] == before:
                purchase["status"] = after


@app.post("/webhooks/dregs")
def webhook():
    event = inbox.open(request)
    if event and event["event"] == "IDENTITY_SCORED":
        is_low = is_below(event, "authenticity", AUTHENTICITY_MIN)
        settle(event["identityId"], "PENDING", "HELD" if is_low else "APPROVED")
    elif event and event["event"] == "ESCALATION_CLOSED":
        settle(event["identityId"], "HELD", "APPROVED")
    return ""


@app.post("/purchases")
def buy():
    order = request.json
    # Before it is told: the scores may come before the answer does.
    with lock:
        purchases[order["id"]] = {"user": user(), "status": "PENDING"}
    dregs.track("purchase", identity=user(), event_id=order["id"], data={"amount": order["amount"]})
    return {}, 202


@app.get("/purchases/<id>")
def status(id):
    return {"status": purchases[id]["status"]} if id in purchases else abort(404)


serve(app)
