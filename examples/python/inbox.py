"""What every receiver of webhooks needs: know who sent it, do nothing twice, and let nothing old undo what
is newer."""

import os
import threading

import flask
from dregs.errors import WebhookVerificationError
from dregs.webhooks import SIGNATURE_HEADER, verify

CATEGORIES = ("humanity", "authenticity", "uniqueness", "behavior")


class Inbox:
    """Opens webhooks. An application with more than one process keeps what this remembers in its database,
    in the transaction in which it acts."""

    def __init__(self):
        self.secret = os.environ.get("DREGS_WEBHOOK_SECRET", "")
        self.lock = threading.Lock()
        # Ids of events, the same at every attempt.
        self.seen = set()
        # The newest sequence of each user, by what is told: a late score must not undo a newer score, and
        # says nothing against a badge.
        self.newest = {}

    def open(self, request):
        """The event in a request, or None if there is nothing to do. Whoever is not dregs is answered 401."""
        try:
            event = verify(request.get_data(), request.headers.get(SIGNATURE_HEADER, ""), self.secret)
        except WebhookVerificationError:
            flask.abort(401)
        told = {"IDENTITY_SCORED": "scores", "IDENTITY_BADGES_CHANGED": "badges"}
        key = (event.get("identityId"), told.get(event["event"], "escalations"))
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


def lowest_score(event):
    """The lowest of the four scores, or None while there is none."""
    scores = event["data"]["scores"]
    return min((scores[category] for category in CATEGORIES if scores[category] is not None), default=None)


def is_below(event, category, least):
    """Whether the score in a category is below `least`; one that is not scored yet, None, is not."""
    score = event["data"]["scores"][category]
    return score is not None and score < least


def user():
    """The user of the request. A real application takes this from its session."""
    return flask.request.headers.get("X-User", "")


def serve(app):
    """Serves on PORT of this machine, 4000 unless said."""
    app.run("127.0.0.1", int(os.environ.get("PORT", "4000")), threaded=True)
