"""Verifies webhooks with the published libraries.

In: {"secrets": [...], "requests": [{"headers": {...}, "body": "..."}]}
Out: for each request and each secret what the vendor's client and a Standard Webhooks library
say to it, "ok" or the name of the error, and the same after a byte of the body was changed.
"""

import json
import sys

import standardwebhooks
from dregs.webhooks import verify


def verdict(check):
    try:
        check()
    except Exception as error:
        return type(error).__name__
    return "ok"


def verdicts(request, body, secret):
    headers = request["headers"]
    return {
        "dregs": verdict(lambda: verify(body, headers["x-dregs-signature"], secret)),
        "standard": verdict(lambda: standardwebhooks.Webhook(secret).verify(body, headers)),
    }


def main():
    given = json.load(sys.stdin)
    said = []
    for request in given["requests"]:
        body = request["body"].encode()
        forged = body.replace(b"ada", b"eve")
        assert forged != body
        for secret in given["secrets"]:
            said.append({**verdicts(request, body, secret), "forged": verdicts(request, forged, secret)})
    json.dump(said, sys.stdout)


main()
