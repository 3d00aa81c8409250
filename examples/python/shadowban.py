"""Shadowban on a badge: the posts of suspicious users vanish for everybody but themselves, who notice nothing
and try nothing else. When a reviewer closes the escalation, the posts are back."""

from flask import Flask, request

from inbox import Inbox, serve, user

BADGE = "suspicious"

app, inbox = Flask(__name__), Inbox()
posts = []
# Who carries the badge, and who has been found innocent all the same.
suspicious, cleared = set(), set()


def is_banned(who):
    return who in suspicious and who not in cleared


@app.post("/webhooks/dregs")
def webhook():
    event = inbox.open(request)
    if event is None:
        return ""
    who = event.get("identityId")
    if event["event"] == "IDENTITY_BADGES_CHANGED":
        carries = any(badge["slug"] == BADGE for badge in event["data"]["badges"])
        (suspicious.add if carries else suspicious.discard)(who)
    elif event["event"] == "ESCALATION_OPENED":
        cleared.discard(who)
    elif event["event"] == "ESCALATION_CLOSED":
        cleared.add(who)
    return ""


@app.post("/posts")
def write():
    posts.append({"user": user(), "text": request.json["text"]})
    return {}, 201


@app.get("/posts")
def read():
    """Everybody sees the posts of everybody, but for those of the banned, whom the banned see."""
    sees_all = is_banned(user())
    return [post for post in posts if sees_all or not is_banned(post["user"])]


serve(app)
