"""An AI agent, as the published MCP client makes one, that looks into the newest ring of a running server.

In: {"url": of the MCP server, "token"}
Out: what it found, and what it did.
"""

import asyncio
import json
import sys

from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client


def connect(url, token, mode):
    http = create_mcp_http_client(headers={"Authorization": f"Bearer {token}"})
    return Client(streamable_http_client(url, http_client=http), mode=mode)


async def use(client, tool, **arguments):
    result = await client.call_tool(tool, arguments)
    content = result.structured_content
    assert not result.is_error, (tool, content)
    return content["data"]


async def look_into_the_newest_ring(client):
    newest = (await use(client, "list_escalations", status="OPEN", pageSize=1))["content"][0]
    identity = newest["identity"]["id"]
    ring = (await use(client, "get_identity_links", id=identity))["cluster"]["members"]
    analysis = await use(client, "get_identity_analysis", id=identity)
    uniqueness = next(score for score in analysis["scores"] if score["category"] == "UNIQUENESS")
    why = max(uniqueness["observations"], key=lambda seen: (0.5 - seen["value"]) * seen["confidence"] * seen["weight"])
    moved = await use(client, "update_escalation_status", id=newest["id"], status="ACKNOWLEDGED")
    conditions = [{"type": "SCORE_LT", "category": "UNIQUENESS", "threshold": 45}]
    preview = await use(client, "preview_escalation_rule", conditions=conditions)
    rule = await use(client, "create_escalation_rule", name="Rings", severity="WARNING", conditions=conditions)
    return {
        "ring": sorted(member["id"] for member in ring),
        "why": why["id"],
        "moved": moved["status"],
        "wouldMatch": preview["matching"],
        "rule": [rule["id"], rule["name"]],
    }


async def main(url, token):
    async with connect(url, token, "legacy") as client:
        me = await use(client, "get_account_summary")
        versions = [client.protocol_version]
        before = len((await client.list_tools()).tools)
    async with connect(url, token, "auto") as client:
        versions.append(client.protocol_version)
        tools = len((await client.list_tools()).tools)
        story = await look_into_the_newest_ring(client)
    return {"role": me["me"]["role"], "versions": versions, "tools": [before, tools], **story}


print(json.dumps(asyncio.run(main(**json.load(sys.stdin)))))
