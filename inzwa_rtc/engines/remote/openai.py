"""The official client for servers with OpenAI's interface, and what its errors mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2
import openai
from openai import AsyncOpenAI, OpenAI

from inzwa_rtc.engines.remote import answers, http
from inzwa_rtc.engines.remote.answers import Failed, Refusal
from inzwa_rtc.engines.remote.options import RemoteOptions, Server, is_openai, key_for
from inzwa_rtc.engines.remote.retries import at_start

_CHECK_S = 10.0  # for a list of models, which takes no work
_NO_KEY = "none"  # the client insists on one


class _Body(http.Bounded, httpx2.AsyncByteStream):
    """`Bounded` for this client."""


class _Sound(_Body):
    """An answer that is a recording."""

    max_bytes = http.MAX_SOUND_BYTES


def connect(options: RemoteOptions, server: Server) -> AsyncOpenAI:
    """The client of a server that answers with text. Raises `EngineUnavailable` where OpenAI's own
    server is to be asked without a key, and, unless `check_at_start` is off, for a server that is
    not there."""
    return _connect(options, server, _Body)


def connect_for_sound(options: RemoteOptions, server: Server) -> AsyncOpenAI:
    """The same of a server that answers with sound."""
    return _connect(options, server, _Sound)


def _connect(options: RemoteOptions, server: Server, body: type[_Body]) -> AsyncOpenAI:
    key = key_for(options, server.url)
    if key is None and is_openai(server.url):
        raise answers.no_key(server)
    settings = http.client_settings(httpx2, options, server)
    common: dict[str, Any] = {
        "api_key": key or _NO_KEY,
        "base_url": server.url,
        "max_retries": 0,
        "timeout": settings["timeout"],
    }
    if options.check_at_start:
        with (
            httpx2.Client(event_hooks=http.hooks(server), **settings) as below,
            OpenAI(http_client=below, **common) as client,
        ):
            at_start(lambda: _check(client, server))
    client_below = httpx2.AsyncClient(event_hooks=http.async_hooks(server, body), **settings)
    return AsyncOpenAI(http_client=client_below, **common)


def failed(server: Server, error: Exception) -> Failed:
    """What an error of the client means. Gives back what is none of its own as `garbled`:
    it reads what a server sends without checking it first."""
    if isinstance(error, openai.APIStatusError):
        after = answers.retry_after_s(error.response.headers.get("retry-after"))
        return answers.refused(server, Refusal(error.status_code, code_of(error), after))
    if isinstance(error, openai.APIConnectionError):  # or its APITimeoutError
        return answers.lost(server, error.__cause__)
    if isinstance(error, openai.APIError):
        return answers.given_up(server)
    return answers.garbled(server)


UNREADABLE = (openai.OpenAIError, *answers.UNREADABLE)
"""What the client raises for one thing or another that a server sent."""


def code_of(error: openai.APIError) -> str:
    """The server's own name for the error: OpenAI has it in `code`, llama-server in `type`."""
    body = error.body
    if isinstance(body, Mapping):
        for member in ("code", "type"):
            if isinstance(body.get(member), str):
                return str(body[member])
    return ""


def _check(client: OpenAI, server: Server) -> None:
    """Ask for the models, which any key may. A server without such a list is fine too."""
    try:
        client.get("/models", cast_to=object, options={"timeout": _CHECK_S})
    except openai.APIStatusError as error:
        if error.status_code in (401, 403) or error.status_code >= 500:
            raise failed(server, error) from None
    except UNREADABLE as error:
        raise failed(server, error) from None
