"""What is found out about an OpenAI-compatible server before the first caller comes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from inzwa_rtc.errors import EngineError, EngineUnavailable
from tests.engines.remote.asking import Make, error_of
from tests.engines.remote.fake_server import Behaviour, FakeServer, answers


async def test_the_server_is_asked_at_start_whether_it_takes_the_key(
    chat: Make, server: FakeServer
) -> None:
    server.will(answers({"error": {"message": "no"}}, 401))
    with pytest.raises(EngineUnavailable, match=r"llm\.api_key"):
        await asyncio.to_thread(chat, check_at_start=True)
    assert server.asked[0].path == "/v1/models"


@pytest.mark.parametrize(
    "behaviour", [answers({"data": []}), answers({}, 404), answers({}, 405)], ids=["", "404", "405"]
)
async def test_a_server_without_a_list_of_models_will_do(
    chat: Make, server: FakeServer, behaviour: Behaviour
) -> None:
    server.will(behaviour)
    await asyncio.to_thread(chat, check_at_start=True)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "behaviour",
    [answers("<html>", 200, "text/html"), answers("", 302, Location="http://elsewhere.example/")],
    ids=["web page", "redirect"],
)
async def test_what_is_no_such_server_is_found_at_start(
    chat: Make, server: FakeServer, behaviour: Behaviour
) -> None:
    server.will(behaviour)
    with pytest.raises(EngineError, match="base_url"):
        await asyncio.to_thread(chat, check_at_start=True)


async def test_openai_is_not_asked_without_a_key(
    chat: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(EngineUnavailable, match="OPENAI_API_KEY"):
        chat(base_url="https://api.openai.com/v1")


async def test_a_host_that_does_not_answer_costs_the_time_to_connect(chat: Make) -> None:
    with deaf() as url:
        error = await error_of(chat(base_url=url, connect_timeout_s=0.05))
    assert isinstance(error, EngineUnavailable)
    assert "cannot be reached" in str(error)


@contextmanager
def deaf() -> Iterator[str]:
    """A port whose queue of connections is full: it answers no more of them, and refuses none."""
    with ExitStack() as held:
        listening = held.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
