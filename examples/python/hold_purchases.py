"""Hold a purchase for review: a purchase is told to dregs, and waits for the scores that come of it. With low
Authenticity it is held until a reviewer closes the escalation; without any, as where neither a name nor an
address is known, until there is one; of whoever is labeled as bad, while they are."""

import hashlib
import threading

from dregs import Dregs
from dregs.errors import BadRequestError, DregsError
from flask import Flask, abort, request

from inbox import Inbox, Reviews, field, serve, text, user, variable

CATEGORY = "authenticity"
SCORE_MIN = 40

app, inbox, reviews = Flask(__name__), Inbox(), Reviews()
dregs = Dregs(
    variable("DREGS_SECRET_KEY", "a secret key of your team, sk_…"),
    base_url=variable("DREGS_BASE_URL", "the address of the API, such as http://127.0.0.1:8080/api"),
)
purchases, lock = {}, threading.Lock()
# The newest score of each user who was scored.
scores = {}
# The status of a purchase, by what it waits for: LABEL is that the label which says BAD is withdrawn, or one that says
# GOOD is given.
STATUS = {"SCORES": "PENDING", "PROFILE": "HELD", "REVIEWER": "HELD", "LABEL": "HELD", "NOTHING": "APPROVED"}


def settle(who, before, after):
    """Has the purchases of a user that wait for one of these wait for something else."""
    with lock:
        for purchase in purchases.values():
            if purchase["user"] == who and purchase["waitsFor"] in before:
                purchase["waitsFor"] = after


def by_score(who):
    """What a purchase of a user waits for who is not labeled as bad, by the newest score."""
    if who not in scores:
        return "SCORES"
    if scores[who] is None:
        return "PROFILE"
    return "REVIEWER" if scores[who] < SCORE_MIN and not reviews.has_cleared(who, CATEGORY) else "NOTHING"


@app.post("/webhooks/dregs")
def webhook():
    event = inbox.open(request)
    if event is None:
        return ""
    who = event.get("identityId")
    reviews.take(event)
    is_scored = event["event"] == "IDENTITY_SCORED"
    if is_scored:
        scores[who] = event["data"]["scores"].get(CATEGORY)
    if reviews.is_bad(who):
        settle(who, {"SCORES", "PROFILE", "REVIEWER"}, "LABEL")
        return ""
    settle(who, {"LABEL"}, by_score(who))
    if is_scored:
        settle(who, {"SCORES", "PROFILE"}, by_score(who))
    elif reviews.has_cleared(who, CATEGORY):
        settle(who, {"REVIEWER"}, "NOTHING")
    return ""


@app.post("/purchases")
def buy():
    who, order, amount, buyer = user() or abort(401), text("id"), field("amount"), field("buyer")
    if type(amount) not in (int, float) or not 0 <= amount < 1e12 or not isinstance(buyer or {}, dict):
        abort(400)
    # Before it is told: the scores may come before the answer does.
    new = {"user": who, "waitsFor": "SCORES"}
    with lock:
        purchase = purchases.setdefault(order, new)
    if purchase["user"] != who:
        abort(409)
    # An order may be called anything, and an event may not. The same order is the same event, however often
    # it is sent.
    event_id = hashlib.sha256(order.encode(errors="surrogatepass")).hexdigest()
    data = {"order": order, "amount": amount}
    try:
        dregs.track("purchase", identity=who, identity_data=buyer, event_id=event_id, data=data)
    except (BadRequestError, ValueError) as error:
        # Of what it is not told, no scores come.
        if purchase is new:
            with lock:
                del purchases[order]
        return {"error": str(error)}, 400
    except DregsError:
        return {"error": "Try again."}, 503
    return {}, 202


@app.get("/purchases/<path:order>")
def status(order):
    with lock:
        purchase = purchases.get(order) or abort(404)
        return {"status": STATUS[purchase["waitsFor"]], "waitsFor": purchase["waitsFor"]}


serve(app)
