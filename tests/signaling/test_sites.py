"""Another site's page can neither call this server nor pass for its own page."""

from __future__ import annotations

import aiohttp
import pytest

from tests.support.server import serving

LISTED = ("https://calls.example:8443", "http://kiosk")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("192.0.2.9", 200),
        ("[::1]:{port}", 200),
        ("localhost:{port}", 200),
        ("LOCALHOST", 200),
        ("app.localhost:{port}", 200),
        ("calls.example:8443", 200),
        ("calls.example", 200),  # a proxy may pass the name without its port
        ("kiosk:80", 200),
        ("evil.example:{port}", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("evil-localhost", 421),
        ("calls.example.evil.example", 421),
        ("[evil", 421),
        ("@127.0.0.1", 421),
        (":80", 421),
    ],
)
async def test_only_names_of_this_server_are_answered(host: str, status: int) -> None:
    """DNS rebinding: a site's name points here, so that its pages are of this origin."""
    async with serving(allowed_origins=LISTED) as server, aiohttp.ClientSession() as http:
        port = server.url.rpartition(":")[2]
        headers = {"Host": host.format(port=port)}
        async with http.get(f"{server.url}/v1/info", headers=headers) as response:
            assert response.status == status
            body = await response.json()
        if status == 421:
            assert body["code"] == "host_refused"
            assert "allowed_origins" in body["action"]


async def test_a_rebound_page_cannot_call_though_its_origin_is_its_host() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        host = f"evil.example:{server.url.rpartition(':')[2]}"
        headers = {"Host": host, "Origin": f"http://{host}", "Content-Type": "application/sdp"}
        async with http.post(f"{server.url}/v1/calls", data="", headers=headers) as response:
            assert response.status == 421
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{server.url}/v1/ws", headers=headers)
        assert refused.value.status == 421


async def test_a_configured_host_name_is_answered() -> None:
    async with serving(host="localhost") as server, aiohttp.ClientSession() as http:
        async with http.get(f"{server.url}/healthz", headers={"Host": "localhost"}) as response:
            assert response.status == 200


@pytest.mark.parametrize(
    ("origin", "status", "is_shared"),
    [
        ("{own}", 400, False),
        ("https://127.0.0.1:{port}", 400, False),  # a proxy in front speaks TLS
        ("https://calls.example:8443", 400, True),
        ("https://calls.example", 403, False),
        ("https://evil.example", 403, False),
        ("null", 403, False),
        ("http://[", 403, False),
        ("", 403, False),
    ],
)
async def test_an_exact_list_decides_which_pages_may_call(
    origin: str, status: int, is_shared: bool
) -> None:
    async with serving(allowed_origins=LISTED) as server, aiohttp.ClientSession() as http:
        origin = origin.format(own=server.url, port=server.url.rpartition(":")[2])
        headers = {"Origin": origin, "Content-Type": "application/sdp"}
        async with http.post(f"{server.url}/v1/calls", data="", headers=headers) as response:
            assert response.status == status
            code = (await response.json())["code"]
            assert code == ("origin_refused" if status == 403 else "bad_offer")
            allowed = response.headers.get("Access-Control-Allow-Origin")
            assert allowed == (origin if is_shared else None)


async def test_a_listed_page_is_told_in_advance_what_it_may_send() -> None:
    async with serving(allowed_origins=LISTED) as server, aiohttp.ClientSession() as http:
        for origin, status in ((LISTED[0], 204), ("https://evil.example", 403)):
            headers = {"Origin": origin, "Access-Control-Request-Method": "PATCH"}
            async with http.options(f"{server.url}/v1/calls/x", headers=headers) as response:
                assert response.status == status
                methods = response.headers.get("Access-Control-Allow-Methods", "")
                for method in ("PUT", "PATCH", "DELETE"):
                    assert (method in methods) == (status == 204)
                sent = response.headers.get("Access-Control-Allow-Headers", "")
                assert ("Authorization" in sent) == (status == 204)


@pytest.mark.parametrize(
    ("asked", "is_told"), [("authorization,x-inzwa-user,x-stainless-os", True), ("\udcff", False)]
)
async def test_a_listed_page_may_send_what_clients_tell_of_themselves(
    asked: str, is_told: bool
) -> None:
    async with serving(allowed_origins=LISTED) as server, aiohttp.ClientSession() as http:
        headers = {"Origin": LISTED[0], "Access-Control-Request-Headers": asked}
        async with http.options(f"{server.url}/v1/chat/completions", headers=headers) as response:
            assert response.status == 204
            assert (response.headers["Access-Control-Allow-Headers"] == asked) == is_told


async def test_another_sites_page_cannot_open_a_socket() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{server.url}/v1/ws", origin="https://evil.example")
        assert refused.value.status == 403
