"""A mail server for tests: prints its port, then each letter it takes as a line of JSON.

What it is like comes as JSON on stdin: {"tls": "none" | "starttls" | "implicit", "certificate", "key",
"user", "password", "auth": "none"}. It refuses nobody@… for good, busy@… for now, and later@… the first time. Letters
are read with Python's own parser, by its strictest policy.
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys
from html.parser import HTMLParser

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Page(HTMLParser):
    """The elements, the links and the text of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.links, self.text = set(), [], []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.links += [value for name, value in attributes if name in ("href", "src")]

    def handle_data(self, data):
        if data.strip():
            self.text.append(data.strip())


def read(envelope):
    letter = email.message_from_bytes(envelope.content, policy=email.policy.SMTP.clone(raise_on_defect=True))
    plain, html = (letter.get_body((kind,)).get_content() for kind in ("plain", "html"))
    page = Page()
    page.feed(html)
    return {
        "from": envelope.mail_from,
        "to": envelope.rcpt_tos,
        "headers": [[name, str(value)] for name, value in letter.items()],
        "text": plain,
        "tags": sorted(page.tags),
        "links": page.links,
        "shown": page.text,
    }


class Handler:
    def __init__(self, met):
        # Those that have been named before, on any connection.
        self.met = met

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 No such person here"
        if address.startswith("busy@"):
            return "452 4.2.2 Mailbox full"
        if address.startswith("later@") and address not in self.met:
            self.met.add(address)
            return "450 4.7.1 Greylisted"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        letter = read(envelope)
        letter["isTls"] = server.transport.get_extra_info("sslcontext") is not None
        print(json.dumps(letter), flush=True)
        return "250 2.0.0 Ok: queued"


async def main():
    wanted = json.loads(sys.stdin.readline())
    context = None
    if wanted["tls"] != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(wanted["certificate"], wanted["key"])

    def authenticate(server, session, envelope, mechanism, data):
        known = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode())
        return AuthResult(success=known == (wanted["user"], wanted["password"]), handled=False)

    met = set()

    def protocol():
        return SMTP(
            Handler(met),
            tls_context=context if wanted["tls"] == "starttls" else None,
            require_starttls=wanted["tls"] == "starttls",
            authenticator=authenticate,
            auth_required=bool(wanted.get("user")),
            auth_require_tls=False,
            auth_exclude_mechanism=["LOGIN", "PLAIN"] if wanted.get("auth") == "none" else None,
        )

    implicit = context if wanted["tls"] == "implicit" else None
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=implicit)
    print(server.sockets[0].getsockname()[1], flush=True)
    # It ends with whoever started it.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
