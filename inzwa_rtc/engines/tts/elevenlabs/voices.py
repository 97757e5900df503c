"""The voices of an account."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from inzwa_rtc.engines.contracts import Voice
from inzwa_rtc.engines.remote import answers, web
from inzwa_rtc.engines.remote.answers import Failed
from inzwa_rtc.engines.remote.options import Server
from inzwa_rtc.engines.remote.web import Web
from inzwa_rtc.engines.tts.elevenlabs.options import looks_like_an_id
from inzwa_rtc.engines.tts.elevenlabs.refusals import nothing_there
from inzwa_rtc.engines.tts.served import unknown_voice
from inzwa_rtc.errors import EngineError

_PAGE = 100
_MOST_PAGES = 50
_LIST_S = 10.0  # for all pages together


async def listed(asker: Web, server: Server) -> list[Voice]:
    """All voices of the account, page by page. Raises `Failed`."""
    voices: dict[str, Voice] = {}
    query = {"page_size": str(_PAGE)}
    try:
        async with asyncio.timeout(_LIST_S):
            for _ in range(_MOST_PAGES):
                async with asker.ask("GET", "/v2/voices", params=query) as response:
                    page: Any = json.loads(await web.whole(response))
                    for one in page["voices"]:
                        voices.setdefault(one["voice_id"], _voice(one))
                    token = page.get("next_page_token")
                    if not page.get("has_more") or not isinstance(token, str):
                        break
                    query["next_page_token"] = token
    except TimeoutError:
        raise Failed(answers.silent(server, "check_at_start", _LIST_S)) from None
    except Failed as failed:
        if failed.error.code == "unknown_voice":  # none was asked for
            raise nothing_there(server) from None
        raise
    finally:
        await asker.aclose()
    if not voices:
        raise Failed(
            EngineError(f"The account at {server} has no voices.", action="Add one to it.")
        )
    return list(voices.values())


def found(server: Server, voices: Sequence[Voice], wanted: str) -> str:
    """The id of the voice with this id or name. One that is not in the list may be in the library
    that all accounts share, if it looks like an id. Raises `EngineError`."""
    if any(voice.id == wanted for voice in voices):
        return wanted
    name = wanted.casefold()
    for named in (
        [one for one in voices if one.name.casefold() == name],
        # "George - Warm, Captivating Storyteller" is known as George.
        [one for one in voices if one.name.partition(" - ")[0].casefold() == name],
    ):
        if len(named) == 1:
            return named[0].id
        if named:
            raise unknown_voice(server, named, "Several have that name: use the id.")
    if looks_like_an_id(wanted):
        return wanted
    raise unknown_voice(server, voices, "A voice's name will do too.")


def _voice(told: Any) -> Voice:
    """What is told of a voice; raises `KeyError` or `TypeError` for what is none."""
    labels = told.get("labels") or {}
    languages = told.get("verified_languages") or [{}]
    gender = labels.get("gender")
    return Voice(
        id=str(told["voice_id"]),
        name=str(told.get("name") or told["voice_id"]),
        language=str(labels.get("language") or languages[0].get("language") or ""),
        gender=gender if gender in ("female", "male") else "",
        preview=str(told.get("preview_url") or ""),
    )
