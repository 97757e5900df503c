"""Dictation over a WebSocket: `GET /ws/stt`. Audio in, one `transcript` for each utterance out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any, Literal, assert_never

import structlog
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from inzwa_rtc.conversation.dictation import BufferFull, Dictation, Told, Wish, Written
from inzwa_rtc.errors import InzwaError, PeerError, RateLimited, Unavailable
from inzwa_rtc.events import EndReason, Failure
from inzwa_rtc.language import with_hyphens
from inzwa_rtc.settings import Settings
from inzwa_rtc.transport.outbox import Outbox
from signaling.access import refusals
from signaling.access.caller import Caller, check_may
from signaling.access.gate import Gate
from signaling.api.body import bad_json
from signaling.api.operation import Answer, Operation
from signaling.call import Call
from signaling.calls import Calls
from signaling.closing import CLOSE_S, close
from signaling.socket import HEARTBEAT_S, LAST_WORDS_S

MAX_SEND_S = 10.0  # one message not taken for so long: the client is gone
MAX_ERRORS = 50  # a confused client is told; a hostile one is not served for ever

_CODES: dict[EndReason, WSCloseCode] = {
    "shutdown": WSCloseCode.GOING_AWAY,
    "disabled": WSCloseCode.POLICY_VIOLATION,
    "error": WSCloseCode.INTERNAL_ERROR,
}

log = structlog.get_logger(__name__)

Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$", max_length=35)]


class DictationQuery(BaseModel):
    """What may be asked for at the address. `language` is the one spoken (BCP 47), without it the
    server's own settings count; `partials` asks for words while they are being spoken."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    language: Language | None = None
    partials: bool = False


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, hide_input_in_errors=True)


class Start(_Message):
    """The first message where the request itself did not say who asks; else it may be left out."""

    type: Literal["start"]
    auth: Annotated[str, Field(max_length=1000)] | None = None
    language: Language | None = None
    partials: bool | None = None


class _Stop(_Message):
    type: Literal["stop", "end"]


_Client = Annotated[Start | _Stop, Field(discriminator="type")]
_CLIENT: TypeAdapter[_Client] = TypeAdapter(_Client)


class Dictations:
    """The handler of `/ws/stt`."""

    def __init__(self, calls: Calls, settings: Settings, gate: Gate) -> None:
        self._calls = calls
        self._limits = settings.limits
        self._gate = gate

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        told = "The socket; docs/existing-clients.md has its messages."
        upgraded = Answer(101, told, media_type="")
        return [
            Operation(
                *("GET", "/ws/stt", self.handle, "Dictate over a WebSocket"),
                access="anyone",  # the first message may say who dictates
                tag="existing clients",
                query=DictationQuery,
                answers=(upgraded,),
            )
        ]

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """PCM16 little-endian mono 16 kHz in as binary messages; for each utterance a
        `transcript` out. `{"type":"stop"}` has the rest written down and closes the socket."""
        self._calls.check_enabled()
        query = _query(request)
        caller = await self._known(request)
        ws = web.WebSocketResponse(
            compress=False,
            max_msg_size=self._limits.frame + 1,  # aiohttp refuses one of just this size
            heartbeat=HEARTBEAT_S,
            timeout=CLOSE_S,
        )
        try:
            await ws.prepare(request)
        except BaseException:  # such as a request for no WebSocket
            if caller is not None:
                self._gate.not_served(caller)
            raise
        code, reason = WSCloseCode.OK, ""
        try:
            ended = await self._take(ws, request, caller, Wish(query.language, query.partials))
            code = _CODES.get(ended, WSCloseCode.OK)
            reason = "" if ended == "caller" else ended
        except InzwaError as error:
            is_temporary = isinstance(error, Unavailable | RateLimited)
            code = WSCloseCode.TRY_AGAIN_LATER if is_temporary else WSCloseCode.POLICY_VIOLATION
            reason = error.code
            with suppress(ConnectionError):  # it left at once
                await ws.send_str(_told(Failure(error.code, error.message, error.action)))
        finally:
            await close(ws, request, code, reason)
        return ws

    async def _known(self, request: web.Request) -> Caller | None:
        """Who asks, as far as the request tells it: None where the first message has to. Raises
        `PeerError`, `Unavailable`."""
        try:
            return await self._gate.admit_start(request, None)
        except PeerError as error:
            if error.code != refusals.nobody().code:
                raise
            return None

    async def _take(
        self, ws: web.WebSocketResponse, request: web.Request, caller: Caller | None, wish: Wish
    ) -> EndReason:
        """Raises `PeerError`, `Unavailable`."""
        if caller is None:
            start = await self._start(ws)
            if start is None:
                return "connection_lost"
            caller = await self._gate.admit_start(request, start.auth)
            wish = _wished(start, wish)
        try:
            check_may(caller, "transcribe")
            call = self._calls.admit("dictation", caller)
        except BaseException:
            self._gate.not_served(caller)
            raise
        try:
            own = caller.session.language or caller.settings.stt_language
            return await self._hold(ws, call, replace(wish, language=wish.language or own))
        finally:
            self._calls.release(call)

    async def _start(self, ws: web.WebSocketResponse) -> Start | None:
        """The first message; None if the client left. Raises `PeerError`."""
        try:
            message = await ws.receive(timeout=self._calls.settings.timeouts.call_setup)
        except TimeoutError:
            raise PeerError(
                "No `start` came in time.", action='Send {"type":"start"} first.', code="timeout"
            ) from None
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return None
        parsed = self._parsed(message.data) if message.type == WSMsgType.TEXT else None
        if not isinstance(parsed, Start):
            raise PeerError(
                "It was not said first who dictates.",
                action='Send {"type":"start","auth":"KEY"} first.',
                code="not_started",
            )
        return parsed

    async def _hold(self, ws: web.WebSocketResponse, call: Call, wish: Wish) -> EndReason:
        outbox = Outbox()

        def tell(told: Told) -> None:
            if not outbox.put(_told(told)):
                call.end("connection_lost")

        dictation = self._calls.conversations.dictation(call, tell)
        dictation.wish = wish
        call.watch.listens(wish.language or self._calls.settings.language)
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(self._read(ws, dictation, tell))
            sender = tasks.create_task(_send(ws, outbox, dictation))
            try:
                return await self._calls.conversations.held(call, dictation)
            except Exception:  # one client's fault must not end the others
                log.exception("dictation.failed", call=call.id)
                return "error"
            finally:
                reader.cancel()
                outbox.close()
                await asyncio.wait({sender}, timeout=LAST_WORDS_S)
                sender.cancel()

    async def _read(
        self, ws: web.WebSocketResponse, dictation: Dictation, tell: Callable[[Told], None]
    ) -> None:
        errors = 0
        async for message in ws:
            try:
                self._obey(message, dictation)
            except PeerError as error:
                tell(Failure(error.code, error.message, error.action))
                errors += 1
                if errors >= MAX_ERRORS:
                    break
        dictation.end("connection_lost")

    def _obey(self, message: WSMessage, dictation: Dictation) -> None:
        """Raises `PeerError`."""
        if message.type == WSMsgType.BINARY:
            if len(message.data) % 2:
                raise PeerError(
                    "A binary message has an odd number of bytes.",
                    action="Send whole 16-bit samples: PCM16 little-endian mono at 16 kHz.",
                    code="odd_audio",
                )
            dictation.feed(message.data)
        elif message.type == WSMsgType.TEXT:
            match self._parsed(message.data):
                case Start() as start:
                    dictation.wish = _wished(start, dictation.wish)
                case _Stop():
                    dictation.finish()

    def _parsed(self, text: str) -> _Client:
        try:
            return _CLIENT.validate_json(text)
        except (ValidationError, UnicodeError) as error:
            raise PeerError(
                bad_json(error).message,
                action="Send one of: start, stop, end; audio goes as binary messages.",
                code="bad_message",
            ) from None


def _query(request: web.Request) -> DictationQuery:
    """Raises `PeerError`."""
    try:
        query = DictationQuery.model_validate(dict(request.query))
    except (ValidationError, UnicodeError) as error:
        raise PeerError(
            bad_json(error).message,
            action="Give `language` as a language tag such as `sn`, `partials` as true or false.",
            code="bad_query",
        ) from None
    language = query.language and with_hyphens(query.language)
    return query.model_copy(update={"language": language})


def _wished(start: Start, before: Wish) -> Wish:
    return Wish(
        with_hyphens(start.language) if start.language else before.language,
        before.partials if start.partials is None else start.partials,
    )


async def _send(ws: web.WebSocketResponse, outbox: Outbox, dictation: Dictation) -> None:
    try:
        while (message := await outbox.take()) is not None:
            async with asyncio.timeout(MAX_SEND_S):
                await ws.send_str(str(message))
    except (ConnectionError, TimeoutError):
        dictation.end("connection_lost")


def _told(told: Told) -> str:
    message = json.dumps(_members(told), ensure_ascii=False)
    return message.encode("utf-8", "replace").decode()  # UTF-8 carries no half characters


def _members(told: Told) -> dict[str, Any]:
    match told:
        case Written(text=text, is_final=False):
            return {"type": "partial", "text": text}
        case Written(text=text, duration_s=seconds):
            return {
                "type": "transcript",
                "text": text,
                "duration": round(seconds, 3),
                "keep_open": True,
            }
        case BufferFull(limit_s=limit_s):
            return {"type": "buffer_limit_reached", "duration": limit_s}
        case Failure(code=code, message=message, action=action):
            return {"type": "error", "code": code, "message": message, "action": action}
        case _:
            assert_never(told)
