"""What an administrator or a user has settled about voice holds, in calls as in requests."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from inzwa_rtc.errors import PeerError
from inzwa_rtc.store import opened, place_of
from inzwa_rtc.users import UserSettings, VoiceMode
from signaling.access.caller import Ability, Caller, check_may, check_may_call
from tests.signaling.access.test_gate import ask, started
from tests.support.credentials import serving_with_keys, start_token

MAY: dict[VoiceMode, set[Ability]] = {
    "disabled": set(),
    "transcribe_only": {"transcribe"},
    "tts_only": {"speak", "reply"},
    "conversation": {"speak", "transcribe", "reply"},
}


@pytest.mark.parametrize("mode", MAY)
def test_each_mode_lets_one_do_what_its_name_says(mode: VoiceMode) -> None:
    caller = Caller(settings=UserSettings(voice_mode=mode))
    abilities: tuple[Ability, ...] = ("speak", "transcribe", "reply")
    for ability in abilities:
        if ability in MAY[mode]:
            check_may(caller, ability)
            continue
        with pytest.raises(PeerError) as refused:
            check_may(caller, ability)
        assert refused.value.status == 403
        is_off = refused.value.code == "voice_disabled_for_user"
        assert is_off == (mode == "disabled")
    if MAY[mode]:
        check_may_call(caller)


async def test_somebody_from_whom_voice_was_taken_starts_no_call() -> None:
    async with serving_with_keys() as (server, keys, http):
        token = await start_token(server, http, keys.call, user="ada")
        await server.store.users.set_disabled("ada", True)
        told, _ = await started(server, http, token)
        assert told["code"] == "voice_disabled_for_user"
        status, told = await ask(server, http, keys.call, {"user": "ada"})
        assert (status, told["code"]) == (403, "voice_disabled_for_user")
        await server.store.users.set_disabled("ada", False)
        assert (await started(server, http, token))[0]["type"] == "session.started"


async def test_somebody_whom_another_process_takes_voice_from_or_deletes_starts_no_call() -> None:
    async with serving_with_keys() as (server, keys, http):
        token = await start_token(server, http, keys.call, user="ada")
        async with opened(place_of(server.calls.settings)) as elsewhere:
            await elsewhere.users.set_disabled("ada", True)
            assert (await started(server, http, token))[0]["code"] == "voice_disabled_for_user"
            await elsewhere.users.delete("ada")
            assert (await started(server, http, token))[0]["code"] == "token_spent"
            token = await start_token(server, http, keys.call, user="ada")
            await elsewhere.users.change("ada", tts_speed=1.5)
            assert (await started(server, http, token))[0]["type"] == "session.started"
            token = await start_token(server, http, keys.call, user="ada")
            await elsewhere.users.delete("ada")
            await elsewhere.users.change("ada", tts_speed=1.5)  # another one of this name
            assert (await started(server, http, token))[0]["code"] == "token_spent"


async def test_who_has_switched_voice_off_starts_no_call() -> None:
    async with serving_with_keys() as (server, keys, http):
        await server.store.users.change("ada", voice_mode="disabled")
        assert (await ask(server, http, keys.of_ada))[0] == 403
        assert (await started(server, http, keys.of_ada))[0]["code"] == "voice_disabled_for_user"


@pytest.mark.parametrize("mode", ["transcribe_only", "tts_only"])
async def test_a_call_has_the_mode_of_its_user(mode: VoiceMode) -> None:
    async with serving_with_keys() as (server, keys, http):
        await server.store.users.change("ada", voice_mode=mode)
        assert (await started(server, http, keys.of_ada))[0]["voice_mode"] == mode


async def test_on_an_open_server_everybody_has_the_mode_of_new_users() -> None:
    settings = {"default_voice_mode": "tts_only", "access": {"open": True}}
    async with serving_with_keys(**settings) as (server, _keys, http):
        async with http.ws_connect(f"{server.url}/v1/ws") as ws:
            await ws.send_json({"type": "start"})
            assert (await ws.receive_json())["voice_mode"] == "tts_only"


async def test_the_calls_of_a_user_end_when_voice_is_taken_from_them_and_no_others_do() -> None:
    async with serving_with_keys() as (server, keys, http):
        hers, others = [
            await http.ws_connect(f"{server.url}/v1/ws", headers=headers)
            for headers in (
                {"Authorization": f"Bearer {keys.of_ada}"},
                {"Authorization": f"Bearer {keys.call}"},
            )
        ]
        for ws in (hers, others):
            await ws.send_json({"type": "start"})
            assert (await ws.receive_json())["type"] == "session.started"
        server.calls.end_of_user("ada")
        assert await ended(hers) == "disabled"
        await others.send_json({"type": "stop"})
        assert await ended(others) == "caller"


async def test_the_calls_of_a_user_who_is_deleted_end() -> None:
    async with serving_with_keys() as (server, keys, http):
        headers = {"Authorization": f"Bearer {keys.of_ada}"}
        async with http.ws_connect(f"{server.url}/v1/ws", headers=headers) as ws:
            await ws.send_json({"type": "start"})
            assert (await ws.receive_json())["type"] == "session.started"
            await server.store.users.delete("ada")
            assert await ended(ws) == "disabled"


async def ended(ws: aiohttp.ClientWebSocketResponse) -> str:
    """Why the call has ended, once it has."""
    async with asyncio.timeout(60):
        async for message in ws:
            if message.type == aiohttp.WSMsgType.TEXT:
                told = message.json()
                if told["type"] == "session.ended":
                    return str(told["reason"])
    raise AssertionError("the socket was closed without a word")
