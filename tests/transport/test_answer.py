"""What the answer says: what takes part and what does not, and how Opus is to be sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)

from inzwa_rtc.conversation.peer import Command
from inzwa_rtc.settings import Settings
from inzwa_rtc.transport.clock import MediaClock
from inzwa_rtc.transport.sdp import Section, bundles, split
from inzwa_rtc.transport.terms import Terms
from inzwa_rtc.transport.webrtc import WebRtcPeer
from signaling.dialects.native import NativeDialect
from tests.support.listening import Steered

MAX_BUNDLE = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)


@asynccontextmanager
async def answering(
    *kinds: str, terms: Terms | None = None, offer: dict[str, str] | None = None
) -> AsyncIterator[tuple[WebRtcPeer[Command], RTCPeerConnection, str]]:
    """The answer to an offer of a channel and of media of these kinds, in which some text was
    replaced."""
    settings = Settings()
    client = RTCPeerConnection(MAX_BUNDLE)
    for kind in kinds:
        client.addTransceiver(kind)
    client.createDataChannel("inzwa")
    await client.setLocalDescription(await client.createOffer())
    sdp = client.localDescription.sdp
    for old, new in (offer or {}).items():
        assert old in sdp
        sdp = sdp.replace(old, new)
    media = MediaClock(), Steered()
    peer = WebRtcPeer[Command](settings, NativeDialect(settings.limits), *media, terms)
    try:
        yield peer, client, await peer.answer(sdp)
    finally:
        await client.close()
        await peer.close()


def read(answer: str) -> tuple[list[str], list[Section]]:
    session, sections = split(answer.splitlines())
    return [name for group in bundles(session) for name in group], sections


async def test_all_sections_are_answered_in_order_and_video_is_refused() -> None:
    async with answering("audio", "video", "audio") as (_, _, answer):
        bundle, sections = read(answer)
        assert [(one.kind, one.port != 0, one.mid) for one in sections] == [
            ("audio", True, "0"),
            ("video", False, "1"),
            ("audio", False, "2"),
            ("application", True, "3"),
        ]
        assert bundle == ["0", "3"]
        assert not any(one.values("candidate") for one in sections if one.port == 0)
        assert len(sections[1].formats) == 1


async def test_the_section_that_the_others_share_the_transport_of_is_only_silent() -> None:
    """Chromium finds no transport for the others where it is refused."""
    async with answering("video", "audio", "video") as (peer, client, answer):
        bundle, sections = read(answer)
        assert bundle == ["0", "1", "3"]
        assert "a=inactive" in sections[0].lines
        assert sections[0].values("candidate") == sections[1].values("candidate")
        assert [one.port != 0 for one in sections] == [True, True, False, True]
        await client.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        assert await peer.connected(10)
        assert peer.has_channel


async def test_a_call_stands_though_its_video_was_refused() -> None:
    async with answering("audio", "video") as (peer, client, answer):
        await client.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        assert await peer.connected(10)
        assert peer.has_channel


async def test_the_answer_names_no_bundle_where_none_was_offered() -> None:
    async with answering("audio", offer={"a=group:BUNDLE 0 1\r\n": ""}) as (_, _, answer):
        assert read(answer)[0] == []


async def test_the_answer_speaks_the_protocol_of_the_offer() -> None:
    async with answering("audio", offer={"UDP/TLS/RTP/SAVPF": "RTP/SAVPF"}) as (_, _, answer):
        assert "m=audio" in answer
        assert read(answer)[1][0].protocol == "RTP/SAVPF"


async def test_callers_are_asked_for_a_voice_as_it_is_recognised_best() -> None:
    async with answering("audio") as (_, _, answer):
        audio = read(answer)[1][0]
        assert audio.value("fmtp") == (
            "96 minptime=10;useinbandfec=1;stereo=0;sprop-stereo=0;"
            "maxplaybackrate=16000;maxaveragebitrate=24000;usedtx=1"
        )
        assert (audio.value("ptime"), audio.value("maxptime")) == ("20", "60")


async def test_a_caller_who_asks_for_low_data_is_asked_for_little_in_long_packets() -> None:
    async with answering("audio", terms=Terms.low_data()) as (peer, _, answer):
        audio = read(answer)[1][0]
        parameters = audio.value("fmtp") or ""
        assert "minptime=60" in parameters
        assert "maxaveragebitrate=12000" in parameters
        assert audio.value("ptime") == "60"
        assert peer.terms == Terms(12_000, 12_000, 60)


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ("a=ptime:60", Terms(24_000, 28_000, 60)),
        ("a=ptime:60\r\na=maxptime:40", Terms(24_000, 28_000, 20)),
        ("a=ptime:10\r\na=maxptime:10", Terms(24_000, 28_000, 20)),
        ("a=fmtp:96 maxaveragebitrate=16000", Terms(24_000, 16_000, 20)),
        ("a=fmtp:96 maxaveragebitrate=500", Terms(24_000, 6_000, 20)),
        ("a=fmtp:96 maxaveragebitrate=510000", Terms(24_000, 28_000, 20)),
    ],
)
async def test_callers_are_sent_no_more_than_they_take_in_packets_of_20_ms_at_least(
    says: str, expected: Terms
) -> None:
    told = {"a=rtpmap:96 opus/48000/2": f"a=rtpmap:96 opus/48000/2\r\n{says}"}
    async with answering("audio", offer=told) as (peer, _, _):
        assert peer.terms == expected


async def test_low_data_keeps_to_short_packets_where_a_caller_takes_no_others() -> None:
    told = {"a=rtpmap:96 opus/48000/2": "a=rtpmap:96 opus/48000/2\r\na=maxptime:20"}
    async with answering("audio", terms=Terms.low_data(), offer=told) as (peer, _, answer):
        assert peer.terms == Terms(12_000, 12_000, 20)
        assert "minptime=10" in answer
