"""An AI agent, as the published MCP client makes one, that signs in to a running server by OAuth.

In: {"url": of the MCP server, "api": of the server's API, "session" of the person who approves it}
Out: what it was given, and how often the person was asked.
"""

import asyncio
import json
import sys
from urllib.parse import parse_qsl, urlsplit

import httpx
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

CALLBACK = "http://localhost:33418/callback"


class Memory:
    """Where the client keeps what it is given."""

    tokens = None
    client_info = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client_info

    async def set_client_info(self, client_info):
        self.client_info = client_info


class Person:
    """Who approves the client, as the dashboard's page does it."""

    def __init__(self, api, session):
        self.http = httpx.AsyncClient(base_url=api, headers={"Authorization": f"Bearer {session}"})
        self.asked = []

    async def ask(self, method, path, **content):
        answer = await self.http.request(method, path, **content)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def approve(self, url):
        """The browser comes to the page of consent."""
        asks = dict(parse_qsl(urlsplit(url).query))
        self.asked.append((await self.ask("GET", "/oauth/request", params=asks))["clientName"])
        self.answer = (await self.ask("POST", "/oauth/request/actions/approve", json=asks))["redirectTo"]

    async def come_back(self):
        """The browser comes to the client's own page."""
        assert self.answer.startswith(CALLBACK), self.answer
        answer = dict(parse_qsl(urlsplit(self.answer).query))
        return AuthorizationCodeResult(code=answer["code"], state=answer["state"], iss=answer["iss"])


def sign_in(url, memory, person):
    metadata = OAuthClientMetadata(client_name="Desk agent", redirect_uris=[CALLBACK])
    return OAuthClientProvider(url, metadata, memory, person.approve, person.come_back)


async def use(url, auth):
    """The role that the agent has, and how many tools."""
    http = create_mcp_http_client(auth=auth)
    async with Client(streamable_http_client(url, http_client=http), mode="legacy") as client:
        result = await client.call_tool("get_account_summary", {})
        assert not result.is_error, result
        return result.structured_content["data"]["me"]["role"], len((await client.list_tools()).tools)


async def main(url, api, session):
    memory, person = Memory(), Person(api, session)
    auth = sign_in(url, memory, person)
    role, tools = await use(url, auth)
    first = memory.tokens
    asked = [len(person.asked)]
    # The access token has expired.
    auth.context.token_expiry_time = 1
    await use(url, auth)
    refreshed = memory.tokens
    # Another start of the client finds what was kept.
    await use(url, sign_in(url, memory, person))
    asked.append(len(person.asked))
    # The person disconnects the client, which asks once more.
    (connection,) = await person.ask("GET", "/oauth/connections")
    await person.ask("DELETE", f"/oauth/connections/{connection['id']}")
    await use(url, sign_in(url, memory, person))
    asked.append(len(person.asked))
    return {
        "role": role,
        "tools": tools,
        "scope": first.scope,
        "rotated": first.access_token != refreshed.access_token and first.refresh_token != refreshed.refresh_token,
        "asked": asked,
        "names": sorted(set(person.asked)),
        "connected": connection["name"],
    }


print(json.dumps(asyncio.run(main(**json.load(sys.stdin)))))
