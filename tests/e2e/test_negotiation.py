"""What a real Chromium makes of the answer: what it sends, in which packets, and what it drops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from inzwa_rtc.audio.opus import OpusDecoder
from tests.support.browser import FAKE_DEVICES, PATIENCE_S, chromium, microphone_that_plays
from tests.support.engines import ScriptedRecognizer
from tests.support.server import Serving, serving
from tests.support.voice import CLEAR_VOICE, Samples, speech

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

# Config numbers of Opus's table of contents (RFC 6716, section 3.1), with nothing above 8 kHz.
SHORT = {1, 5, 9, 19, 23}  # 20 ms
LONG = {3, 7, 11}  # 60 ms

CALL = """async ({kinds, session, policy}) => {
  const pc = globalThis.pc = new RTCPeerConnection({iceServers: [], bundlePolicy: policy});
  const {0: voice} = (await navigator.mediaDevices.getUserMedia({audio: true})).getAudioTracks();
  for (const kind of kinds) pc.addTransceiver(kind === 'audio' ? voice : kind);
  const channel = pc.createDataChannel('inzwa');
  const opened = new Promise((resolve) => { channel.onopen = resolve; });
  await pc.setLocalDescription();
  const body = JSON.stringify({sdp: pc.localDescription.sdp, type: 'offer', session});
  const headers = {'Content-Type': 'application/json'};
  const response = await fetch('v1/calls', {method: 'POST', headers, body});
  const answer = await response.json();
  await pc.setRemoteDescription({type: 'answer', sdp: answer.sdp});
  await opened;
  return pc.getTransceivers().map(({currentDirection}) => currentDirection);
}"""


def is_voiced(packet: bytes) -> bool:
    """Not one of those that DTX leaves of silence."""
    return len(packet) > 2


@asynccontextmanager
async def page_of(server: Serving, microphone: str) -> AsyncIterator[Page]:
    async with chromium(FAKE_DEVICES, microphone) as browser:
        context = await browser.new_context(permissions=["microphone"])
        page = await context.new_page()
        await page.goto(server.url)
        yield page


@pytest.mark.parametrize("policy", ["max-bundle", "balanced", "max-compat"])
@pytest.mark.parametrize("kinds", [["audio", "video"], ["video", "audio", "audio"]])
async def test_a_browser_that_offers_video_is_heard_without_it(
    kinds: list[str], policy: str, tmp_path: Path
) -> None:
    microphone = microphone_that_plays(tmp_path / "silence.wav", 1.0)
    async with serving() as server, page_of(server, microphone) as page:
        asked = {"kinds": kinds, "session": {}, "policy": policy}
        directions = await page.evaluate(CALL, asked)
        # Those that were refused are stopped, and Chromium leaves them out.
        assert directions == (["sendrecv"] if kinds[0] == "audio" else ["inactive", "sendrecv"])


@pytest.mark.parametrize(
    ("session", "configs"), [({}, SHORT), ({"low_data": True}, LONG)], ids=["usual", "low data"]
)
async def test_a_browser_sends_speech_as_the_answer_asks_for_it(
    session: dict[str, Any],
    configs: set[int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packets: list[bytes] = []
    decode = OpusDecoder.decode

    def decoded(self: OpusDecoder, packet: bytes) -> bytes:
        packets.append(packet)
        return decode(self, packet)

    monkeypatch.setattr(OpusDecoder, "decode", decoded)
    voice = await speech("are you human", voice=CLEAR_VOICE)
    parts: list[Samples | float] = [voice, 1.0] * 20
    microphone = microphone_that_plays(tmp_path / "voice.wav", *parts)
    hears_nothing = ScriptedRecognizer(*[""] * 100)
    async with serving(hears_nothing) as server, page_of(server, microphone) as page:
        asked = {"kinds": ["audio"], "session": session, "policy": "max-bundle"}
        await page.evaluate(CALL, asked)
        async with asyncio.timeout(PATIENCE_S):
            while sum(map(is_voiced, packets)) < 40:
                await page.wait_for_timeout(100)
    late = list(filter(is_voiced, packets))[10:]  # Chromium begins as it is used to
    assert {packet[0] >> 3 for packet in late} <= configs
    assert not any(packet[0] & 4 for packet in late), "stereo"
