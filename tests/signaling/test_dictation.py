"""`/ws/stt`: dictation in the shape that its clients know, and what bad ones get."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType

from inzwa_rtc.conversation import dictation
from signaling.dictation import MAX_ERRORS
from tests.support.credentials import NO_LIMITS, bearer, serving_with_keys, start_token
from tests.support.engines import ScriptedRecognizer
from tests.support.server import Serving, ServingEmbedded, serving, serving_embedded
from tests.support.session import SteeredRecognizer
from tests.support.voice import CLEAR_VOICE, speech

PAUSE = bytes(700 * 32)


@pytest.fixture(autouse=True)
def _at_any_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dictation, "FASTER", 1e9)


class Client:
    """Sends audio, reads what is told."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.told: list[dict[str, Any]] = []

    async def say(self, text: str = "good morning to all of you") -> None:
        pcm = (await speech(text, 16_000)).tobytes() + PAUSE
        for begin in range(0, len(pcm), 3200):
            await self.ws.send_bytes(pcm[begin : begin + 3200])

    async def send(self, **message: Any) -> None:
        await self.ws.send_str(json.dumps(message))

    async def is_up(self) -> None:
        """Return once the server has read all that was sent: it answers a mistake."""
        await self.send(type="start", language="??")
        await self.next("error")

    async def next(self, kind: str) -> dict[str, Any]:
        async with asyncio.timeout(20):
            async for message in self.ws:
                self.told.append(json.loads(message.data))
                if self.told[-1]["type"] == kind:
                    return self.told[-1]
        raise AssertionError(f"closed ({self.ws.close_code}) before {kind}: {self.told}")

    async def closed(self) -> int | None:
        async with asyncio.timeout(20):
            async for message in self.ws:
                if message.type == WSMsgType.TEXT:
                    self.told.append(json.loads(message.data))
        return self.ws.close_code


@asynccontextmanager
async def client(server: Serving | ServingEmbedded, query: str = "") -> AsyncIterator[Client]:
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{server.url}/ws/stt{query}") as ws,
    ):
        yield Client(ws)


async def test_a_transcript_has_the_shape_that_its_clients_know() -> None:
    async with serving(asr=ScriptedRecognizer("one", "two")) as server, client(server) as one:
        await one.say()
        told = await one.next("transcript")
        assert told == {
            "type": "transcript",
            "text": "one",
            "duration": told["duration"],
            "keep_open": True,
        }
        assert isinstance(told["duration"], float)
        assert 0.5 < told["duration"] < 5
        await one.say()
        assert (await one.next("transcript"))["text"] == "two"


@pytest.mark.parametrize("word", ["stop", "end"])
async def test_stop_has_the_rest_written_down_and_closes(word: str) -> None:
    async with serving(asr=ScriptedRecognizer("all")) as server, client(server) as one:
        await one.ws.send_bytes((await speech("good morning", 16_000)).tobytes())
        await one.send(type=word)
        assert await one.closed() == 1000
        assert [told["text"] for told in one.told] == ["all"]
        assert len(server.calls) == 0


async def test_partial_transcripts_come_to_those_who_ask() -> None:
    recognizer = SteeredRecognizer("done", "done")
    recognizer.partial = "so far"
    async with serving(asr=recognizer) as server:
        async with client(server, "?partials=true") as one:
            await one.say()
            assert await one.next("partial") == {"type": "partial", "text": "so far"}
        async with client(server) as other:
            await other.say()
            await other.next("transcript")
            assert len(other.told) == 1


async def test_the_language_is_chosen_at_the_address_or_in_the_first_message() -> None:
    recognizer = ScriptedRecognizer("mhoroi", "bonjour", "hello")
    async with serving(asr=recognizer, asr_language="en") as server:
        async with client(server, "?language=sn") as one:
            await one.say()
            await one.next("transcript")
            await one.send(type="start", language="fr_FR")
            await one.say()
            await one.next("transcript")
        async with client(server) as other:
            await other.say()
            await other.next("transcript")
    assert [request.language for request in recognizer.requests] == ["sn", "fr-FR", "en"]


@pytest.mark.parametrize("query", ["?language=../../etc", "?partials=perhaps", "?language="])
async def test_a_wrong_wish_is_refused_before_the_upgrade(query: str) -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{server.url}/ws/stt{query}")
        assert refused.value.status == 400


async def test_the_client_is_told_when_no_more_audio_is_taken() -> None:
    recognizer = SteeredRecognizer("words")
    recognizer.ready.clear()
    limits = {"dictation_s": 5}
    async with serving(asr=recognizer, limits=limits) as server, client(server) as one:
        pcm = (await speech("one two three four five six seven", 16_000)).tobytes()
        sending = pcm * 10
        for begin in range(0, len(sending), 32_000):
            await one.ws.send_bytes(sending[begin : begin + 32_000])
        told = await one.next("buffer_limit_reached")
        assert told == {"type": "buffer_limit_reached", "duration": 5.0}


async def test_mistakes_are_told_and_the_dictation_goes_on() -> None:
    async with serving(asr=ScriptedRecognizer("still here")) as server, client(server) as one:
        for message in (b"\0", "{", '{"type":"dance"}', '{"type":"start","language":"\\ud800"}'):
            if isinstance(message, bytes):
                await one.ws.send_bytes(message)
            else:
                await one.ws.send_str(message)
            told = await one.next("error")
            assert set(told) == {"type", "code", "message", "action"}
        assert [told["code"] for told in one.told] == ["odd_audio", *["bad_message"] * 3]
        await one.say()
        assert (await one.next("transcript"))["text"] == "still here"


async def test_a_client_that_sends_only_nonsense_is_cut_off() -> None:
    async with serving() as server, client(server) as one:
        for _ in range(MAX_ERRORS):
            await one.ws.send_bytes(b"\0")
        await one.closed()
        assert len(server.calls) == 0


async def test_a_dictation_takes_a_place_as_a_call_does() -> None:
    async with serving(max_concurrent_sessions=1) as server, client(server) as one:
        await one.is_up()
        async with client(server) as other:
            assert await other.closed() == 1013
            assert other.told[0]["code"] == "server_full"
        assert len(server.calls) == 1


async def test_who_dictates_too_often_is_told_to_come_again() -> None:
    limits = NO_LIMITS | {"calls_per_minute": 1}
    async with serving_with_keys(access=limits) as (server, keys, _):
        async with client(server) as one, client(server) as other:
            await one.send(type="start", auth=keys.call)
            await one.is_up()
            await other.send(type="start", auth=keys.call)
            assert await other.closed() == 1013
            assert other.told[0]["code"] == "rate_limited"


async def test_a_request_for_no_websocket_spends_no_start_token() -> None:
    async with serving_with_keys() as (server, keys, http):
        token = bearer(await start_token(server, http, keys.call))
        async with http.get(f"{server.url}/ws/stt", headers=token) as answer:
            assert answer.status == 400
        async with http.ws_connect(f"{server.url}/ws/stt", headers=token) as ws:
            await Client(ws).is_up()


async def test_its_place_is_free_when_the_client_has_gone() -> None:
    async with serving() as server:
        async with client(server) as one:
            await one.is_up()
        async with asyncio.timeout(10):
            await server.calls.all_ended()


async def test_an_operator_sees_that_it_listens_and_for_which_language() -> None:
    async with serving(language="en") as server:
        async with client(server) as one:
            await one.is_up()
            [call] = server.calls.all()
            assert (call.watch.state, call.watch.language) == ("listening", "en")


async def test_without_voice_it_is_refused_before_the_upgrade() -> None:
    async with serving(voice_enabled=False) as server, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{server.url}/ws/stt")
        assert refused.value.status == 503


async def test_a_server_that_shuts_down_writes_down_what_was_said_and_closes() -> None:
    async with serving(asr=ScriptedRecognizer("last words")) as server, client(server) as one:
        await one.ws.send_bytes((await speech("good morning", 16_000)).tobytes())
        await one.is_up()
        async with asyncio.timeout(20):
            await asyncio.gather(server.calls.drain(0.05), one.closed())
        assert one.ws.close_code == 1001
        assert [told.get("text") for told in one.told[1:]] == ["last words"]


async def test_it_stays_open_at_the_beginning_of_a_drain() -> None:
    async with serving(asr=ScriptedRecognizer("written")) as server, client(server) as one:
        await one.is_up()
        draining = asyncio.create_task(server.calls.drain(20))
        async with client(server) as other:
            assert await other.closed() == 1013
        await one.say()
        assert (await one.next("transcript"))["text"] == "written"
        await one.send(type="stop")
        assert await one.closed() == 1000
        await draining


async def test_the_embedded_recogniser_writes_down_what_is_said() -> None:
    async with serving_embedded() as server, client(server) as one:
        pcm = (await speech("how are you", 16_000, CLEAR_VOICE)).tobytes() + PAUSE
        await one.ws.send_bytes(pcm[: len(pcm) // 2 * 2][:64_000])
        await one.send(type="stop")
        assert await one.closed() == 1000
        assert [told["text"] for told in one.told] == ["how are you"]


async def test_in_a_language_that_the_recogniser_lacks_it_is_told_so() -> None:
    async with serving_embedded() as server, client(server, "?language=sn") as one:
        await one.say("how are you")
        assert (await one.next("error"))["code"]
        await one.send(type="stop")
        assert await one.closed() == 1000
