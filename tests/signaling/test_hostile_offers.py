"""What no honest client offers is refused or left alone, and a live call beside it goes on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiortc import RTCConfiguration, RTCPeerConnection

from inzwa_rtc.transport.webrtc import WebRtcPeer
from tests.support.live_call import LiveCall, live_call

pytestmark = pytest.mark.asyncio(loop_scope="module")

SDP, JSON = "application/sdp", "application/json"
GOOD = "candidate:{n} 1 udp 2122 192.0.2.1 {port} typ host"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live() -> AsyncIterator[LiveCall]:
    async with live_call() as call:
        yield call


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def offer() -> str:
    """An honest one, without candidates."""
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    client.createDataChannel("inzwa")
    client.addTransceiver("audio")
    await client.setLocalDescription(await client.createOffer())
    lines = client.localDescription.sdp.splitlines()
    await client.close()
    return "".join(f"{line}\r\n" for line in lines if "candidate" not in line)


def candidates(number: int) -> str:
    return "".join(f"a={GOOD.format(n=n, port=2000 + n)}\r\n" for n in range(number))


REFUSED: dict[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "only a version": lambda _: "v=0",
    "1,000 NULs": lambda _: "\x00" * 1000,
    "4,000 candidates": lambda offer: offer + candidates(4000),
    "1,000 candidates": lambda offer: offer + candidates(1000),
    "33 candidates": lambda offer: offer + candidates(33),
    "no fingerprint": lambda offer: offer.replace("a=fingerprint:", "a=x:"),
    "a fingerprint by md2": lambda offer: offer.replace("sha-256", "md2").replace("sha-", "md"),
    "half a fingerprint": lambda offer: cut(offer, "a=fingerprint:", 40),
    "half a codec": lambda offer: offer.replace(" opus/48000/2", " opus"),
    "a codec at 0 Hz": lambda offer: offer.replace("opus/48000/2", "opus/0/2"),
    "a port that is a letter": lambda offer: media(offer, "m=audio x "),
    "a port beyond all": lambda offer: media(offer, "m=audio 99999999 "),
    "a port of other digits": lambda offer: media(offer, "m=audio ٣ "),
    "half a candidate": lambda offer: offer + "a=candidate:1 1 udp\r\n",
    "a candidate of digits": lambda offer: offer + "a=candidate:" + "9 " * 5000 + "\r\n",
    "the same name twice": lambda offer: offer.replace("a=mid:1", "a=mid:0"),
    "no name": lambda offer: offer.replace("a=mid:0", "a=mid:"),
    "a user name of 1 MB": lambda offer: offer.replace(
        "a=ice-ufrag:", "a=ice-ufrag:" + "a" * 2**20
    ),
    "a user name of 300": lambda offer: offer.replace("a=ice-ufrag:", "a=ice-ufrag:" + "a" * 300),
    "100 sections": lambda offer: offer + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" * 100,
    "5 sections": lambda offer: offer + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" * 3,
    "nobody who begins": lambda offer: offer.replace("a=setup:actpass", "a=setup:nobody"),
    "a channel at port 70000": lambda offer: offer.replace("a=sctp-port:5000", "a=sctp-port:70000"),
    "a surrogate": lambda offer: offer + "a=\ud800\r\n",
}

TAKEN: dict[str, Callable[[str], str]] = {
    "no direction": lambda offer: offer.replace("a=sendrecv\r\n", ""),
    "a bundle of strangers": lambda offer: offer.replace("BUNDLE 0 1", "BUNDLE x 0 1"),
    "no bundle": lambda offer: offer.replace("a=group:BUNDLE 0 1\r\n", ""),
    "an extension at 300": lambda offer: more(offer, "a=extmap:300 urn:x"),
    "an extension at 0": lambda offer: more(offer, "a=extmap:0 urn:x"),
    "3,000 kinds of feedback": lambda offer: more(offer, *["a=rtcp-fb:* nack"] * 3000),
    "1,500 codecs": lambda offer: more(offer, *[f"a=rtpmap:{n % 96} x/8000" for n in range(1500)]),
    "a stream without a number": lambda offer: more(offer, "a=ssrc:x cname:y"),
    "parameters of no codec": lambda offer: more(offer, "a=fmtp:5 x=y", "a=fmtp:x"),
}

NOWHERE = [
    "255.255.255.255 53",
    "255.255.255.255 5353",
    "224.0.0.251 5353",
    "ff02::fb 5353",
    "169.254.169.254 80",
    "169.254.169.254 8080",
    "127.0.0.1 22",
    "0.0.0.0 5000",
    "192.0.2.1 -1",
    "192.0.2.1 70000",
    "0b1e7f0e-1f5b-4a43-a2a1-8f4ca6ea0f9d.local 50000",
    "metadata.internal 50000",
]


def cut(offer: str, behind: str, length: int) -> str:
    return "".join(
        f"{line[:length] if line.startswith(behind) else line}\r\n" for line in offer.splitlines()
    )


def longer(offer: str, start: str, by: int) -> str:
    return offer.replace(start, start + "a" * by)


def media(offer: str, start: str) -> str:
    port = offer[offer.index("m=audio ") :].split(" ")[1]
    return offer.replace(f"m=audio {port} ", start)


def more(offer: str, *lines: str) -> str:
    """These lines within the audio section."""
    place = offer.index("m=application")
    return offer[:place] + "".join(f"{line}\r\n" for line in lines) + offer[place:]


async def asked(
    live: LiveCall, method: str, path: str, token: str = "", **body: Any
) -> tuple[int, dict[str, Any]]:
    url = f"{live.server.url}{path}"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= body.pop("headers", {})
    async with aiohttp.ClientSession() as http:
        async with http.request(method, url, headers=headers, **body) as response:
            return response.status, await response.json() if await response.read() else {}


async def offered(live: LiveCall, sdp: str, kind: str) -> tuple[int, dict[str, Any]]:
    data = json.dumps({"sdp": sdp}) if kind == JSON else sdp
    body = BytesIO(data.encode("utf-8", "surrogatepass"))
    return await asked(live, "POST", "/v1/calls", data=body, headers={"Content-Type": kind})


@pytest.mark.parametrize("case", REFUSED)
async def test_an_offer_that_no_honest_client_makes_is_refused(
    case: str, live: LiveCall, offer: str
) -> None:
    bad = REFUSED[case](offer)
    assert bad != offer
    await live.speaks()
    for kind in (SDP, JSON):
        status, error = await offered(live, bad, kind)
        assert status in (400, 413), error
        assert set(error) == {"code", "message", "action"}
    assert len(live.server.calls) == 1
    await live.is_unharmed()


@pytest.mark.parametrize("case", TAKEN)
async def test_what_is_odd_about_an_offer_costs_nothing(
    case: str, live: LiveCall, offer: str
) -> None:
    odd = TAKEN[case](offer)
    assert odd != offer
    await live.speaks()
    status, told = await offered(live, odd, JSON)
    assert status == 201, told
    await live.is_unharmed()
    assert (await asked(live, "DELETE", f"/v1/calls/{told['id']}", told["call_token"]))[0] == 200


@pytest.mark.parametrize("where", NOWHERE)
async def test_nothing_is_sent_where_no_caller_can_be(
    where: str, live: LiveCall, offer: str
) -> None:
    candidate = f"candidate:1 1 udp 2122 {where} typ host"
    await live.speaks()
    status, told = await offered(live, more(offer, f"a={candidate}"), JSON)
    assert status == 201, told
    path, token = f"/v1/calls/{told['id']}", told["call_token"]
    body = {"candidates": [{"candidate": candidate, "sdpMid": "0"}]}
    assert (await asked(live, "PATCH", path, token, json=body))[0] == 204
    peer = live.server.calls.find(told["id"]).shown
    assert peer is not None
    assert remote_candidates(peer) == []
    await live.is_unharmed()
    assert (await asked(live, "DELETE", path, token))[0] == 200


async def test_candidates_are_counted_however_they_come(live: LiveCall, offer: str) -> None:
    """50 hidden names; stock aiortc looks each of them up for a second."""
    await live.speaks()
    _, told = await offered(live, offer, JSON)
    path, token = f"/v1/calls/{told['id']}", told["call_token"]
    names = (f"candidate:{n} 1 udp 1 {n:08x}.local 50000 typ host" for n in range(50))
    answers = [
        (
            await asked(
                live,
                "PATCH",
                path,
                token,
                json={"candidates": [{"candidate": name, "sdpMid": "0"}]},
            )
        )[0]
        for name in names
    ]
    assert answers == [204] * 32 + [400] * 18
    many = [{"candidate": GOOD.format(n=n, port=3000), "sdpMid": "0"} for n in range(64)]
    status, error = await asked(live, "PATCH", path, token, json={"candidates": many})
    assert (status, error["code"]) == (400, "too_many_candidates")
    await live.is_unharmed()
    assert (await asked(live, "DELETE", path, token))[0] == 200


def remote_candidates(peer: WebRtcPeer[Any]) -> list[Any]:
    """Whom its ICE knows of."""
    return [
        candidate
        for transport in getattr(peer._pc, "_RTCPeerConnection__iceTransports")  # noqa: B009
        for candidate in transport.iceGatherer._connection.remote_candidates
    ]
