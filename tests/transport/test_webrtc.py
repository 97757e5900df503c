"""One WebRTC peer: what it answers, what it refuses, and what it puts on the wire."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy as np
import pytest
from av import AudioFrame

from inzwa_rtc.conversation.event_log import KEPT
from inzwa_rtc.engines.contracts import Haste
from inzwa_rtc.errors import PeerError
from inzwa_rtc.events import ReplyFinished
from inzwa_rtc.playout.playout import Playout
from inzwa_rtc.settings import Settings
from inzwa_rtc.speech.cache.phrase import KeptPhrase
from inzwa_rtc.transport import webrtc
from inzwa_rtc.transport.hooks import MAX_DATAGRAM
from inzwa_rtc.transport.sender import OUT_SAMPLE_RATE
from inzwa_rtc.transport.udp import UdpSocket
from tests.support.peer import settle
from tests.support.peering import answered, paired

GOOD = "candidate:1 1 udp 2122 192.0.2.50 50000 typ host"


async def test_the_answer_offers_opus_and_nothing_else() -> None:
    """aiortc's client offers G722, PCMU and PCMA as well."""
    async with answered() as pair:
        codecs = [line for line in pair.answer.splitlines() if line.startswith("a=rtpmap:")]
        assert [line.partition(" ")[2] for line in codecs] == ["opus/48000/2"]


@pytest.mark.parametrize(
    ("candidate", "mid"),
    [
        (f"{GOOD} raddr 1.2.3.4 rport abc", "0"),
        (f"{GOOD} raddr 1.2.3.4 rport " + "9" * 5000, "0"),
        (GOOD, None),
        ("candidate:1 1 udp", "0"),
    ],
    ids=["rport", "long rport", "nowhere", "short"],
)
async def test_a_candidate_that_makes_no_sense_is_the_clients_fault(
    candidate: str, mid: str | None
) -> None:
    async with answered() as pair:
        with pytest.raises(PeerError) as refused:
            await pair.peer.add_candidate(candidate, mid, None)
        assert refused.value.code == "bad_candidate"
        assert refused.value.action


async def test_a_phrase_that_was_encoded_before_is_heard_and_nothing_is_encoded() -> None:
    times = np.arange(OUT_SAMPLE_RATE) / OUT_SAMPLE_RATE
    tone = (9000 * np.sin(2 * np.pi * 500 * times)).astype("<i2").tobytes()
    phrase = KeptPhrase.of(tone, OUT_SAMPLE_RATE, (), Settings().opus_bitrate)
    async with paired("recvonly") as pair:
        peer = pair.peer
        playout = Playout(peer.out_sample_rate, lambda event: None)
        peer.play(playout)
        speech = playout.speech(1)
        speech.begin_phrase("tone", 0)
        await speech.write_frames(phrase.encoded_frames())
        speech.end_phrase()
        speech.finish()
        track = pair.client.getReceivers()[0].track
        loud = 0
        async with asyncio.timeout(30):
            while loud < 30:  # of 50 frames
                frame = await track.recv()
                assert isinstance(frame, AudioFrame)
                sound = frame.to_ndarray().astype(float)
                loud += 4000 < np.sqrt(np.mean(sound**2)) < 8000
            await speech.played_out()
    assert peer._sender is not None
    assert peer._sender.encodes == 0


async def test_no_datagram_is_larger_than_every_path_carries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []
    send = UdpSocket.sendto

    def sendto(self: UdpSocket, data: bytes, address: Any = None) -> None:
        sizes.append(len(data))
        send(self, data, address)

    monkeypatch.setattr(UdpSocket, "sendto", sendto)
    async with answered() as pair:
        peer, channel = pair.peer, pair.channel
        received = asyncio.Event()
        text = "x" * 20_000
        channel.on("message", lambda message: received.set() if text in message else None)
        assert await peer.connected(10)
        peer.send(ReplyFinished(1, text))
        async with asyncio.timeout(10):
            await received.wait()
    assert max(sizes) <= MAX_DATAGRAM
    assert len([size for size in sizes if size > MAX_DATAGRAM - 100]) > 10  # nor much smaller


async def test_a_set_up_that_is_given_up_while_it_waits_for_the_channel_does_not_stand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever has gone on over another connection is not taken away from it."""
    monkeypatch.setattr(webrtc, "CHANNEL_WAIT_S", 600)
    async with answered("another") as pair:
        peer = pair.peer
        connecting = asyncio.create_task(peer.connected(30))
        await peer._connected.wait()
        await settle()
        assert peer.state == "connected" and not connecting.done()
        peer.give_up()
        assert not await connecting


async def test_all_that_was_missed_waits_for_the_channel() -> None:
    async with answered() as pair:
        peer, channel = pair.peer, pair.channel
        told = asyncio.Queue[Any]()
        channel.on("message", told.put_nowait)
        for number in range(1 + KEPT):
            peer.send(ReplyFinished(number, ""))
        assert await peer.connected(30)
        async with asyncio.timeout(30):
            turns = [json.loads(await told.get())["turn"] for _ in range(1 + KEPT)]
        assert turns == list(range(1 + KEPT))


async def test_who_was_told_more_than_waits_is_lost_and_not_told_a_part() -> None:
    async with answered() as pair:
        peer, channel = pair.peer, pair.channel
        told: list[Any] = []
        channel.on("message", told.append)
        for number in range(webrtc.MAX_UNSENT_EVENTS + 1):
            peer.send(ReplyFinished(number, ""))
        async with asyncio.timeout(30):
            assert [item async for item in peer.receive()] == []  # it has ended
        assert told == []


async def test_nobody_asks_for_the_datagrams_of_a_call_that_has_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are read as they come until the connection is closed."""
    async with paired() as pair:
        peer, now = pair.peer, asyncio.get_running_loop().time
        assert peer._lane is not None
        peer._inbox.take(8, now())
        assert peer._lane._polled is not None
        with monkeypatch.context() as patch:
            patch.setattr(type(peer), "state", "failed")
            peer._on_state()
        peer._inbox.take(8, now())
        peer._inbox.close()
        assert peer._lane._polled is None
        assert len(peer._clock) == 0


async def test_haste_and_commands_wake_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    async with paired() as pair:
        woken: list[bool] = []
        monkeypatch.setattr(pair.peer._clock, "wake", lambda: woken.append(True))
        pair.peer.listen(Haste.IN_TIME)
        assert not woken
        pair.peer.listen(Haste.EACH_SOUND)
        assert len(woken) == 1
        pair.peer._on_message('{"type": "end_turn"}')
        assert len(woken) == 2
