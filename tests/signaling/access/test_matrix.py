"""Every way to ask, from every page, by every name, with everything that may be sent to say who
asks: nobody gets in who should not, and nobody is kept out who should."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from tests.support.credentials import (
    ADMIN_KEY,
    NO_LIMITS,
    Keys,
    bearer,
    expired,
    serving_with_keys,
    start_token,
)
from tests.support.server import Serving, serving

LISTED = "https://calls.example:8443"

ORIGINS = {
    None: True,
    "http://{host}": True,
    "https://{host}": True,
    LISTED: True,
    "https://calls.example": False,
    "https://calls.example:8443/": False,
    "https://calls.example.:8443": False,
    "https://calls.example:443": False,
    "http://calls.example:8443": False,
    "HTTPS://calls.example:8443": False,
    "https://CALLS.example:8443": False,
    "https://calls.example:8443.evil.example": False,
    "https://evil.example": False,
    "null": False,
    "": False,
}
HOSTS = {
    "127.0.0.1:{port}": True,
    "LocalHost:{port}": True,
    "calls.example:8443": True,
    "calls.example": True,
    "evil.example": False,
    "127.0.0.1.:{port}": False,
    "localhost.": False,
    "calls.example.:8443": False,
    "calls.example.evil.example": False,
}
ROUTES = ("anyone", "start", "mint", "call", "admin")
LETS_IN = {
    "nobody": {"anyone"},
    "another scheme": {"anyone"},
    "an unknown key": {"anyone"},
    "a revoked key": {"anyone"},
    "a key": {"anyone", "start", "mint", "call"},
    "another key": {"anyone", "start", "mint"},
    "a user's key": {"anyone", "start", "mint"},
    "an admin's key": {"anyone", "call", "admin"},
    "the admin_key": {"anyone", "call", "admin"},
    "a start token": {"anyone", "start"},
    "a spent start token": {"anyone"},
    "an expired start token": {"anyone"},
    "the call's token": {"anyone", "call"},
    "another call's token": {"anyone"},
    "an ended call's token": {"anyone"},
}


@dataclass
class Bench:
    """A server with calls, and what there is to be sent to it."""

    server: Serving
    http: aiohttp.ClientSession
    keys: Keys
    call: dict[str, Any]
    other: dict[str, Any]
    ended: dict[str, Any]
    spent: str

    async def headers(self, who: str) -> dict[str, str]:
        if who == "nobody":
            return {}
        if who == "another scheme":
            return {"Authorization": f"Basic {self.keys.call}"}
        if who == "a start token":
            return bearer(await start_token(self.server, self.http, self.keys.call))
        known = {
            "an unknown key": self.keys.call[:-1] + ("A" if self.keys.call[-1] != "A" else "B"),
            "a revoked key": self.keys.revoked,
            "a key": self.keys.call,
            "another key": self.keys.other,
            "a user's key": self.keys.of_ada,
            "an admin's key": self.keys.admin,
            "the admin_key": ADMIN_KEY,
            "a spent start token": self.spent,
            "an expired start token": expired(self.server),
            "the call's token": self.call["call_token"],
            "another call's token": self.other["call_token"],
            "an ended call's token": self.ended["call_token"],
        }
        return bearer(known[who])

    async def answered(self, route: str, headers: dict[str, str]) -> bool:
        """Whether whoever asks gets past all that keeps people out."""
        method, path, body = {
            "anyone": ("GET", "/healthz", None),
            "start": ("POST", "/v1/calls", {"sdp": "no offer"}),
            "mint": ("POST", "/v1/tokens", {}),
            "call": ("GET", f"/v1/calls/{self.call['session_id']}", None),
            "admin": ("POST", "/v1/admin/reload", None),
        }[route]
        url = f"{self.server.url}{path}"
        async with self.http.request(method, url, json=body, headers=headers) as response:
            is_in = response.status in (200, 201, 400, 409)
            assert is_in or response.status in (401, 403, 404, 421), response.status
            return is_in


@asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    settings = {"allowed_origins": (LISTED,), "access": NO_LIMITS}
    async with serving_with_keys(**settings) as (server, keys, http):
        spent = await start_token(server, http, keys.call)
        async with AsyncExitStack() as calls:

            async def begun(secret: str) -> dict[str, Any]:
                """A call that goes on until it is ended."""
                ws = await calls.enter_async_context(http.ws_connect(f"{server.url}/v1/ws"))
                await ws.send_json({"type": "start", "auth": secret})
                told: dict[str, Any] = await ws.receive_json()
                reading = asyncio.create_task(_read(ws))  # who does not read is not there any more
                calls.callback(reading.cancel)
                return told

            ended = await begun(spent)
            url = f"{server.url}/v1/calls/{ended['session_id']}"
            async with http.delete(url, headers=bearer(ended["call_token"])) as response:
                assert response.status == 200
            await server.calls.all_ended()
            call, other = await begun(keys.call), await begun(keys.call)
            yield Bench(server, http, keys, call, other, ended, spent)


async def _read(ws: aiohttp.ClientWebSocketResponse) -> None:
    async for _ in ws:
        pass


async def test_nobody_gets_in_who_should_not_and_nobody_is_kept_out_who_should() -> None:
    async with bench() as at:
        host = at.server.url.rpartition("/")[2]
        wrong = []
        for (who, routes), route in itertools.product(LETS_IN.items(), ROUTES):
            pages = [None, LISTED] if who != "nobody" else [None]
            for origin in pages:
                headers = {"Host": host} | ({"Origin": origin} if origin else {})
                is_in = await at.answered(route, headers | await at.headers(who))
                if is_in != (route in routes):
                    wrong.append((origin, who, route, is_in))
        assert wrong == []


async def test_no_credential_opens_the_server_to_another_page_or_by_another_name() -> None:
    """Each page by each name, with the credential that would open the route."""
    opening = {
        "anyone": "nobody",
        "start": "a key",
        "call": "the call's token",
        "admin": "the admin_key",
    }
    async with bench() as at:
        port = at.server.url.rpartition(":")[2]
        sent = {route: await at.headers(who) for route, who in opening.items()}
        wrong = []
        for (origin, is_page_ours), (host, is_name_ours) in itertools.product(
            ORIGINS.items(), HOSTS.items()
        ):
            host = host.format(port=port)
            headers = {"Host": host}
            if origin is not None:
                headers["Origin"] = origin.format(host=host)
            is_own = headers.get("Origin") in (f"http://{host}", f"https://{host}")
            is_from_ours = is_name_ours and (is_page_ours or is_own)
            # What the check of pages lets pass goes on to the same gate; one of each suffices.
            for route in opening if is_from_ours else ("start", "admin"):
                is_in = await at.answered(route, headers | sent[route])
                if is_in != is_from_ours:
                    wrong.append((origin, host, route, is_in))
        assert wrong == []


async def test_a_socket_lets_in_whoever_may_call_and_says_why_it_does_not() -> None:
    async with bench() as at:
        for who, routes in LETS_IN.items():
            for is_in_header in (True, False):
                headers = await at.headers(who)
                start = {"type": "start"}
                if not is_in_header and headers:
                    start["auth"] = headers.pop("Authorization").removeprefix("Bearer ")
                async with at.http.ws_connect(f"{at.server.url}/v1/ws", headers=headers) as ws:
                    await ws.send_json(start)
                    told = await ws.receive_json()
                    assert told["type"] == ("session.started" if "start" in routes else "error"), (
                        who
                    )
                    if told["type"] == "error":
                        assert told["action"]
                        closed = await ws.receive()
                        assert (closed.type, ws.close_code) == (aiohttp.WSMsgType.CLOSE, 1008)


async def test_an_open_server_lets_callers_in_and_nobody_administer_it() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        asked: dict[tuple[str, str], Any] = {
            ("POST", "/v1/calls"): {"sdp": "no offer"},
            ("POST", "/v1/tokens"): {},
            ("POST", "/v1/admin/reload"): None,
            ("GET", "/v1/calls/x"): None,
        }
        statuses = []
        for (method, path), body in asked.items():
            async with http.request(method, f"{server.url}{path}", json=body) as response:
                statuses.append(response.status)
        assert statuses == [400, 201, 401, 401]


async def test_a_server_that_is_open_by_its_address_is_so_for_this_machine_alone() -> None:
    """A proxy on the same machine passes others on: its name for them, or its header, tells."""
    from_elsewhere = [
        {"Host": "calls.example:8443"},
        {"X-Forwarded-For": "203.0.113.9"},
        {"X-Real-IP": "203.0.113.9"},
        {"Forwarded": "for=203.0.113.9"},
        {"Via": "1.1 proxy"},
        {"X-Forwarded-Host": "calls.example"},
        {"CF-Connecting-IP": "203.0.113.9"},
    ]
    async with aiohttp.ClientSession() as http:
        for is_set, status in ((None, 401), (True, 400)):
            settings = {"allowed_origins": (LISTED,), "access": {"open": is_set}}
            async with serving(**settings) as server:
                url = f"{server.url}/v1/calls"
                for headers in from_elsewhere:
                    body = {"sdp": "no offer"}
                    async with http.post(url, json=body, headers=headers) as response:
                        assert response.status == status, headers


@pytest.mark.parametrize(("version", "status"), [("1.0", 401), ("1.1", 200)])
async def test_a_proxy_that_says_nothing_is_known_by_its_old_http(
    version: str, status: int
) -> None:
    """nginx, as it comes, names the address to which it passes on, and nobody else."""
    async with serving() as server:
        port = server.url.rpartition(":")[2]
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
        head = f"GET /v1/voices HTTP/{version}\r\nHost: 127.0.0.1:{port}\r\nConnection: close"
        writer.write(f"{head}\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert int(answer.split()[1]) == status
