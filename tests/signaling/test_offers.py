"""`/v1/calls`: offers in, answers out, and nothing bad gets past the edge."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from aiortc import RTCSessionDescription

from signaling import connections
from tests.support.caller import Caller, calling, make_offer
from tests.support.credentials import serving_with_keys, start_token
from tests.support.engines import ScriptedModel, ScriptedRecognizer
from tests.support.server import serving

DEEP = "[" * 60_000


async def post(url: str, data: Any, kind: str) -> tuple[int, dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url}/v1/calls", data=data, headers={"Content-Type": kind}) as response,
    ):
        return response.status, await response.json()


async def test_sdp_and_json_offers_are_answered_in_kind() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        pc, offer = await make_offer()
        async with http.post(
            f"{server.url}/v1/calls", data=offer, headers={"Content-Type": "application/sdp"}
        ) as response:
            assert response.status == 201
            assert response.content_type == "application/sdp"
            location = response.headers["Location"]
            assert response.headers["ETag"].startswith('"')
            answer = await response.text()
        await pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        async with http.get(f"{server.url}{location}") as response:
            assert (await response.json())["transport"] == "webrtc"
        async with http.delete(f"{server.url}{location}") as response:
            assert response.status == 200
        await asyncio.sleep(0)
        await pc.close()
        pc, offer = await make_offer()
        async with http.post(f"{server.url}/v1/calls", json={"sdp": offer}) as response:
            body = await response.json()
            assert response.status == 201
            assert {"id", "sdp", "type", "ice_servers", "call_token"} == set(body)
        await pc.close()


async def test_the_answer_names_only_this_machines_addresses_and_asks_for_fec() -> None:
    async with serving(public_address="203.0.113.7", udp_ports="40000-40100") as server:
        pc, offer = await make_offer()
        async with aiohttp.ClientSession() as http:
            async with http.post(f"{server.url}/v1/calls", json={"sdp": offer}) as response:
                sdp = (await response.json())["sdp"]
        await pc.close()
        candidates = [line.split() for line in sdp.splitlines() if "a=candidate" in line]
        assert {fields[7] for fields in candidates} == {"host"}
        assert "203.0.113.7" in {fields[4] for fields in candidates}
        assert all(40000 <= int(fields[5]) <= 40100 for fields in candidates)
        assert "useinbandfec=1;stereo=0" in sdp
        assert "maxaveragebitrate=24000" in sdp


async def test_video_is_refused_and_the_call_goes_on_without_it() -> None:
    async with serving() as server:
        pc, offer = await make_offer(with_video=True)
        async with aiohttp.ClientSession() as http:
            async with http.post(f"{server.url}/v1/calls", json={"sdp": offer}) as response:
                assert response.status == 201
                sdp = (await response.json())["sdp"]
        assert "m=video 0 " in sdp
        await pc.close()


@pytest.mark.parametrize(
    ("query", "body", "kind"),
    [
        ("?low_data=true", "{sdp}", "application/sdp"),
        ("", '{{"sdp": {json}, "session": {{"low_data": true}}}}', "application/json"),
    ],
    ids=["WHIP", "JSON"],
)
async def test_low_data_may_be_asked_for_by_every_client(query: str, body: str, kind: str) -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        pc, offer = await make_offer()
        await pc.close()
        data = body.format(sdp=offer, json=json.dumps(offer))
        url, headers = f"{server.url}/v1/calls{query}", {"Content-Type": kind}
        async with http.post(url, data=data, headers=headers) as response:
            assert response.status == 201
            answer = await response.text()
        assert "a=ptime:60" in answer
        assert "maxaveragebitrate=12000" in answer
        async with http.post(url.replace("true", "maybe"), data="{}", headers=headers) as response:
            assert response.status == 400
        peer = server.calls.all()[0].shown
        assert peer is not None
        assert peer.terms.packet_ms == 60


async def test_a_start_token_may_settle_that_a_call_takes_little_data() -> None:
    async with serving_with_keys() as (server, keys, http):
        token = await start_token(server, http, keys.call, session={"low_data": True})
        pc, offer = await make_offer()
        await pc.close()
        headers = {"Authorization": f"Bearer {token}"}
        body = {"sdp": offer, "session": {"low_data": False}}
        async with http.post(f"{server.url}/v1/calls", json=body, headers=headers) as response:
            assert response.status == 201
            assert "a=ptime:60" in (await response.json())["sdp"]


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        ("application/sdp", "", 400, "bad_offer"),
        ("application/sdp", "v=0", 400, "bad_offer"),
        ("application/sdp", "\x00" * 1000, 400, "bad_offer"),
        pytest.param(
            "application/sdp", "v=0\r\n" + "a=x\r\n" * 20_000, 413, "offer_too_large", id="long"
        ),
        ("application/sdp", b"\xff\xfe", 400, "bad_request"),
        ("application/json", "{", 400, "bad_json"),
        pytest.param("application/json", DEEP, 400, "bad_json", id="deep"),
        ("application/json", '{"sdp": 5}', 400, "bad_json"),
        ("application/json", '{"sdp": "v=0", "type": "answer"}', 400, "bad_json"),
        ("application/json", '{"sdp": "v=0", "session": {"speed": NaN}}', 400, "bad_json"),
        ("application/json", '{"sdp": "v=0", "session": {"speed": true}}', 400, "bad_json"),
        ("application/json", '{"sdp": "v=0", "session": {"voice": "../x"}}', 400, "unknown_voice"),
        pytest.param("application/json", " " * 200_000, 413, "too_large", id="huge"),
        ("text/plain", "v=0", 415, "unsupported_media_type"),
    ],
)
async def test_a_bad_offer_gets_a_clear_error(
    kind: str, body: str | bytes, status: int, code: str
) -> None:
    async with serving() as server:
        answered, error = await post(server.url, body, kind)
        assert (answered, error["code"]) == (status, code)
        assert set(error) == {"code", "message", "action"}
        assert len(server.calls) == 0


async def test_an_offer_that_only_aiortc_can_judge_is_refused_too() -> None:
    async with serving() as server:
        pc, offer = await make_offer()
        await pc.close()
        broken = offer.replace("a=setup:actpass", "a=setup:nonsense")
        answered, error = await post(server.url, broken, "application/sdp")
        assert (answered, error["code"]) == (400, "bad_offer")
        assert len(server.calls) == 0


async def test_an_offer_without_opus_is_refused_with_what_to_do() -> None:
    async with serving() as server:
        pc, offer = await make_offer()
        await pc.close()
        answered, error = await post(server.url, offer.replace("opus", "speex"), "application/sdp")
        assert (answered, error["code"]) == (400, "no_audio")
        assert "Opus" in error["message"]


async def test_a_call_that_cannot_be_set_up_leaves_its_place_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("aiortc has changed")

    async with serving() as server:
        pc, offer = await make_offer()
        await pc.close()
        monkeypatch.setattr(connections, "WebRtcPeer", broken)
        answered, error = await post(server.url, offer, "application/sdp")
        assert (answered, error["code"]) == (500, "internal")
        assert len(server.calls) == 0


async def test_bad_requests_leave_a_live_call_unharmed() -> None:
    llm = ScriptedModel("I am well.")
    async with serving(ScriptedRecognizer("how are you"), llm) as server:
        async with calling(server.url) as caller:
            for body in ("", "v=0", "x" * 100_000):
                await post(server.url, body, "application/sdp")
            caller.channel.send("not json")
            caller.channel.send('{"type":"start"}')
            caller.channel.send('{"type":"dance"}')
            caller.channel.send(b"\x00\x01")
            await caller.told("error", lambda event: event["code"] == "unknown_message")
            codes = {event["code"] for event in caller.all("error")}
            assert {"bad_message", "already_started", "unknown_message"} <= codes
            caller.send(type="text", text="how are you")
            final = await caller.told("llm.final", lambda event: event["turn"] == 1)
            assert final["text"] == "I am well."


async def test_trickled_candidates_need_the_right_tag_and_make_sense() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        pc, offer = await make_offer()
        async with http.post(f"{server.url}/v1/calls", json={"sdp": offer}) as response:
            path = f"{server.url}{response.headers['Location']}"
            tag = response.headers["ETag"]
            http.headers["Authorization"] = f"Bearer {(await response.json())['call_token']}"
        good = "candidate:1 1 udp 2122 192.0.2.50 50000 typ host"
        fragment = f"a=ice-ufrag:x\r\nm=audio 9 X 0\r\na=mid:0\r\na={good}\r\n"
        kind = "application/trickle-ice-sdpfrag"

        async def patch(body: Any, **headers: str) -> int:
            async with http.patch(path, data=body, headers=headers) as response:
                return response.status

        async def patch_json(body: Any) -> int:
            async with http.patch(path, json=body) as response:
                return response.status

        assert await patch(fragment, **{"Content-Type": kind}) == 428
        assert await patch(fragment, **{"Content-Type": kind, "If-Match": '"old"'}) == 412
        assert await patch(fragment, **{"Content-Type": kind, "If-Match": "*"}) == 422
        assert await patch(fragment, **{"Content-Type": kind, "If-Match": tag}) == 204
        item = {"candidate": good, "sdpMid": "0", "sdpMLineIndex": 0}
        assert await patch_json({"candidates": [item]}) == 204
        assert await patch_json({"candidates": [{"candidate": ""}]}) == 204
        assert await patch_json({"candidates": [{"candidate": "candidate:1 1 udp"}]}) == 400
        odd = {**item, "candidate": f"{good} raddr 1.2.3.4 rport abc"}
        assert await patch_json({"candidates": [odd]}) == 400
        assert await patch_json({"candidates": [{"candidate": good}]}) == 400
        assert await patch_json({"candidates": [item] * 60}) == 400
        async with http.get(f"{server.url}/openapi.json") as response:
            told = (await response.json())["paths"]["/v1/calls/{id}"]["patch"]["responses"]
        assert {"400", "412", "422", "428"} <= set(told)
        await pc.close()


async def test_an_unknown_call_is_404() -> None:
    headers = {"Authorization": "Bearer ct_nope"}
    async with serving() as server, aiohttp.ClientSession(headers=headers) as http:
        for method in ("GET", "DELETE", "PATCH"):
            async with http.request(method, f"{server.url}/v1/calls/nope") as response:
                assert response.status == 404
                assert (await response.json())["code"] == "no_such_call"


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"voice_enabled": False}, "voice_disabled"),
        ({"enable_webrtc": False}, "webrtc_disabled"),
        ({"audio_out_codec": "pcm16"}, "webrtc_disabled"),
    ],
)
async def test_what_the_operator_switched_off_is_503(settings: dict[str, Any], code: str) -> None:
    async with serving(**settings) as server:
        pc, offer = await make_offer()
        await pc.close()
        status, error = await post(server.url, offer, "application/sdp")
        assert (status, error["code"]) == (503, code)


async def test_a_set_up_that_never_connects_is_given_up() -> None:
    async with serving(timeouts={"call_setup": 0.2}) as server, aiohttp.ClientSession() as http:
        caller = Caller(http, server.url)
        await caller.pc.setLocalDescription(await caller.pc.createOffer())
        offer = {"sdp": caller.pc.localDescription.sdp}
        async with http.post(f"{server.url}/v1/calls", json=offer) as response:
            assert response.status == 201
        assert len(server.calls) == 1
        async with asyncio.timeout(10):
            await server.calls.all_ended()
        await caller.close()


async def test_every_response_carries_security_headers_and_the_page_is_served() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        async with http.get(f"{server.url}/") as response:
            assert response.status == 200
            assert "<html" in await response.text()
            assert "default-src 'self'" in response.headers["Content-Security-Policy"]
        async with http.get(f"{server.url}/%2e%2e/pyproject.toml") as response:
            assert response.status == 404
        async with http.get(f"{server.url}/healthz") as response:
            assert (response.status, await response.json()) == (200, {"status": "ok"})
        async with http.get(f"{server.url}/v1/info") as response:
            info = await response.json()
            assert info["webrtc"] is True
            assert info["default_voice"] == "tone"
