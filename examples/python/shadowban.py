"""Shadowban on a badge: the posts of suspicious users vanish for everybody but themselves, who notice nothing
and try nothing else. When a reviewer closes the escalation, the posts are back, but for those of users who are
labeled as bad."""

from flask import Flask, request

from inbox import BADGES, Inbox, Reviews, low, serve, text, user

BADGE = "suspicious"
# The badge is given for a score below this.
SCORE_MIN = BADGES[BADGE][1]

app, inbox, reviews = Flask(__name__), Inbox(), Reviews()
posts = []
# Who carries the badge, and which scores of each user are low.
suspicious, reasons = set(), {}


def is_banned(who):
    """Whoever is labeled as bad; and whoever carries the badge, unless a reviewer has looked at every score that it is
    given for."""
    why = reasons.get(who)
    is_cleared = why and all(reviews.has_cleared(who, category) for category in why)
    return reviews.is_bad(who) or who in suspicious and not is_cleared


@app.post("/webhooks/dregs")
def webhook():
    event = inbox.open(request)
    if event is None:
        return ""
    who = event.get("identityId")
    if event["event"] == "IDENTITY_SCORED":
        reasons[who] = low(event["data"]["scores"], SCORE_MIN)
    elif event["event"] == "IDENTITY_BADGES_CHANGED":
        carries = any(badge["slug"] == BADGE for badge in event["data"]["badges"])
        (suspicious.add if carries else suspicious.discard)(who)
    else:
        reviews.take(event)
    return ""


@app.post("/posts")
def write():
    posts.append({"user": user(), "text": text("text")})
    return {}, 201


@app.get("/posts")
def read():
    """Everybody sees the posts of everybody, but for those of the banned, whom the banned see."""
    sees_all = is_banned(user())
    return [post for post in posts if sees_all or not is_banned(post["user"])]


serve(app)
