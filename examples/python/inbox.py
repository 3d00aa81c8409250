"""What every receiver of webhooks needs: know who sent it, do nothing twice, let nothing old undo what is
newer, and know what reviewers have decided."""

import os
import sys
import threading

import flask
from dregs.errors import WebhookVerificationError
from dregs.webhooks import SIGNATURE_HEADER, verify

CATEGORIES = ("humanity", "authenticity", "uniqueness", "behavior")
# What the badges that a new team begins with say: a score in this category is below this threshold.
BADGES = {"suspicious": ("any", 40), "bot": ("humanity", 20), "duplicate": ("uniqueness", 30), "throwaway": ("authenticity", 25)}


def variable(name, what):
    """What is set in the environment under a name."""
    return os.environ.get(name) or sys.exit(f"set {name}: {what}")


class Inbox:
    """Opens webhooks. An application with more than one process keeps what this remembers in its database,
    in the transaction in which it acts."""

    def __init__(self):
        self.secret = variable("DREGS_WEBHOOK_SECRET", "the signing secret of the channel, whsec_…")
        if not self.secret.startswith("whsec_"):
            sys.exit("DREGS_WEBHOOK_SECRET is no signing secret: they begin with whsec_")
        self.lock = threading.Lock()
        # Ids of events, the same at every attempt.
        self.seen = set()
        # The newest sequence of each user, by what is told: a late score must not undo a newer score, and
        # says nothing against a badge, nor one escalation against another.
        self.newest = {}

    def open(self, request):
        """The event in a request, or None if there is nothing to do. Whoever is not dregs is answered 401."""
        try:
            event = verify(request.get_data(), request.headers.get(SIGNATURE_HEADER, ""), self.secret)
        except (WebhookVerificationError, TypeError) as error:
            print("401:", error, file=sys.stderr)
            flask.abort(401)
        told = {"IDENTITY_SCORED": "scores", "IDENTITY_BADGES_CHANGED": "badges", "IDENTITY_LABELED": "label"}
        key = (event.get("identityId"), told.get(event["event"]) or event["data"].get("escalationId"))
        with self.lock:
            if event["id"] in self.seen:
                return None
            self.seen.add(event["id"])
            sequence = event.get("sequence")
            if sequence is not None:
                if sequence < self.newest.get(key, 0):
                    return None
                self.newest[key] = sequence
        return event


class Reviews:
    """Which low scores somebody has looked at, and who is labeled as bad. Who closes an escalation clears the categories
    that it is about, and no others; when another is opened about one of them, that one is to be looked at again.
    Whoever is labeled as bad is cleared of nothing, until the label is withdrawn; whoever is labeled as good is
    cleared of all."""

    def __init__(self):
        self.lock = threading.Lock()
        # Users and categories.
        self.cleared = set()
        # The categories that an escalation is about, by its id.
        self.about = {}
        # Of each user the sequence of the newest of what was told, and whether that says BAD.
        self.bad = {}

    def take(self, event):
        """Takes note of a label that was given or withdrawn, and of an escalation that was opened or closed; of
        other events nothing."""
        if event["event"] not in ("ESCALATION_OPENED", "ESCALATION_CLOSED", "IDENTITY_LABELED"):
            return
        who, data, sequence = event["identityId"], event["data"], event.get("sequence", 0)
        is_labeled = event["event"] == "IDENTITY_LABELED"
        outcome = (data.get("label") or {}).get("outcome") if is_labeled else data.get("outcome")
        with self.lock:
            # An escalation that arrives late must not undo a newer label, nor a label a newer escalation.
            if sequence >= self.bad.get(who, (0, False))[0]:
                self.bad[who] = (sequence, outcome == "BAD")
                if is_labeled and outcome == "GOOD":
                    self.cleared |= {(who, category) for category in CATEGORIES}
            if is_labeled:
                return
            about = self.about.setdefault(data["escalationId"], set())
            about |= subjects(data)
            change = self.cleared.discard if event["event"] == "ESCALATION_OPENED" else self.cleared.add
            for category in about:
                change((who, category))

    def has_cleared(self, who, category):
        return not self.is_bad(who) and (who, category) in self.cleared

    def is_bad(self, who):
        """Whether people have decided that the user is bad, whatever the scores."""
        return self.bad.get(who, (0, False))[1]


def subjects(escalation):
    """The categories that an escalation is about: those whose low scores its rule asks for."""
    found = set()
    for condition in escalation["conditions"]:
        if condition["type"] in ("SCORE_LT", "SCORE_LTE"):
            category, below = condition["category"].lower(), condition["threshold"]
            below += condition["type"] == "SCORE_LTE"
        elif condition["type"] == "BADGE_EXISTS" and condition["badge"] in BADGES:
            category, below = BADGES[condition["badge"]]
        else:
            continue
        found |= low(escalation["scores"], below) if category == "any" else {category}
    return found


def low(scores, below):
    """The categories whose scores are below a threshold. A category without a score, whether it is null or
    left out, is not low: nothing is known."""
    return {category for category in CATEGORIES if (value := scores.get(category)) is not None and value < below}


def lowest_score(event):
    """The lowest of the four scores, or None while there is none."""
    scores = event["data"]["scores"].values()
    return min((score for score in scores if score is not None), default=None)


def user():
    """The user of the request. A real application takes this from its session."""
    return flask.request.headers.get("X-User", "")


def text(name):
    """A text in the request's JSON; without it the answer is 400."""
    value = field(name)
    return value if isinstance(value, str) and value else flask.abort(400)


def field(name):
    """A value in the request's JSON, or None."""
    body = flask.request.get_json(silent=True)
    return body.get(name) if isinstance(body, dict) else None


def serve(app):
    """Serves on PORT of this machine, 4000 unless said."""
    app.run("127.0.0.1", int(os.environ.get("PORT", "4000")), threaded=True)
