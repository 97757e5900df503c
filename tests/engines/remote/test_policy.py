"""What is decided without any I/O: addresses, secrets, pauses, and what failures mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from inzwa_rtc.engines.contracts import Message
from inzwa_rtc.engines.llm.openai import OpenAIChatOptions
from inzwa_rtc.engines.llm.openai_chat import TooLong, newer_half, told_by, too_long
from inzwa_rtc.engines.remote import answers
from inzwa_rtc.engines.remote.answers import Refusal, retry_after_s
from inzwa_rtc.engines.remote.options import (
    OPENAI_KEY_VARIABLE,
    OPENAI_URL,
    RemoteOptions,
    Server,
    is_openai,
    key_for,
)
from inzwa_rtc.engines.remote.retries import pause_s
from inzwa_rtc.errors import EngineUnavailable

SERVER = Server("llm", "The chat server", "http://gpu:8000/v1", "tiny")


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "ftp://gpu/v1",
        "gpu:8000",
        "//gpu/v1",
        "http://",
        "http://user:secret@gpu/v1",
        "http://gpu/v1?key=secret",
        "http://gpu:99999/v1",
    ],
)
def test_only_the_address_of_a_web_server_is_one(address: str) -> None:
    with pytest.raises(ValidationError, match="base_url"):
        OpenAIChatOptions(model="m", base_url=address)


def test_a_slash_at_its_end_is_no_part_of_an_address() -> None:
    assert OpenAIChatOptions(model="m", base_url="http://gpu/v1/").base_url == "http://gpu/v1"


@pytest.mark.parametrize("members", [{"messages": []}, {"stream": False}])
def test_what_makes_a_request_one_of_ours_is_not_the_operators(members: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="must not set"):
        OpenAIChatOptions(model="m", extra_body=members)


def test_a_secret_is_never_shown() -> None:
    options = RemoteOptions.model_validate({"api_key": "sk-secret", "headers": {"X-Key": "hidden"}})
    assert "secret" not in repr(options)
    assert "hidden" not in repr(options)


@pytest.mark.parametrize("key", ["", "a\nb", "schlüssel"])
def test_a_key_that_cannot_be_sent_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="visible ASCII"):
        RemoteOptions.model_validate({"api_key": key})
    with pytest.raises(ValidationError, match="visible ASCII"):
        RemoteOptions.model_validate({"headers": {"X-Key": key}})


def test_a_header_needs_a_name_that_can_be_sent() -> None:
    with pytest.raises(ValidationError, match="no HTTP header"):
        RemoteOptions.model_validate({"headers": {"X Key:": "a"}})


@pytest.mark.parametrize(
    ("url", "is_theirs"),
    [
        (OPENAI_URL, True),
        ("https://eu.api.openai.com/v1", True),
        ("http://gpu:8000/v1", False),
        ("https://openai.com.evil.example/v1", False),
        ("https://notopenai.com/v1", False),
    ],
)
def test_the_key_in_the_environment_goes_to_openai_alone(
    monkeypatch: pytest.MonkeyPatch, url: str, is_theirs: bool
) -> None:
    monkeypatch.setenv(OPENAI_KEY_VARIABLE, "sk-env")
    assert is_openai(url) is is_theirs
    assert key_for(RemoteOptions(), url) == ("sk-env" if is_theirs else None)
    own = RemoteOptions.model_validate({"api_key": "sk-own"})
    assert key_for(own, url) == "sk-own"


def test_pauses_double_and_all_attempts_fit_into_the_time_of_a_turn() -> None:
    assert [pause_s(attempt) for attempt in (1, 2, 3)] == [1, 2, 4]
    assert [pause_s(attempt, within_s=3) for attempt in (1, 2)] == [0.25, 0.5]
    assert [pause_s(attempt, within_s=60) for attempt in (1, 2)] == [1, 2]


def test_a_server_that_asks_for_more_time_gets_it() -> None:
    assert pause_s(1, within_s=3, retry_after_s=2) == 2
    assert pause_s(1, within_s=3, retry_after_s=0) == 0.25


def test_retry_after_is_a_number_or_a_date() -> None:
    now = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
    later = now + timedelta(seconds=90)
    assert retry_after_s("7", now) == 7
    assert retry_after_s(later.strftime("%a, %d %b %Y %H:%M:%S GMT"), now) == 90
    assert retry_after_s("Sat, 21 Nov 2026 07:00:00 GMT", now) == 0
    for nothing in (None, "", "soon", "-1", "Sat, 99 Nov 2026", "Sat, 21 Nov 99999999999999999999"):
        assert retry_after_s(nothing, now) is None


@pytest.mark.parametrize(
    ("status", "passes"),
    [(400, False), (401, False), (404, False), (408, True), (425, True), (429, True), (451, False)]
    + [(status, True) for status in (500, 502, 503, 504, 529, 599)],
)
def test_which_refusals_pass(status: int, passes: bool) -> None:
    assert answers.refused(SERVER, Refusal(status)).passes is passes


def test_a_key_is_to_be_set_where_it_is_looked_for() -> None:
    assert OPENAI_KEY_VARIABLE not in str(answers.no_key(SERVER))
    theirs = Server("asr", "OpenAI", OPENAI_URL, "whisper-1")
    error = answers.no_key(theirs)
    assert isinstance(error, EngineUnavailable)
    assert OPENAI_KEY_VARIABLE in str(error)
    assert "asr.api_key" in str(error)


@pytest.mark.parametrize(
    ("code", "message", "error", "told"),
    [
        (
            "exceed_context_size_error",
            "the request exceeds the available context size",
            {"n_prompt_tokens": 700, "n_ctx": 512},
            TooLong(700, 512),
        ),
        (
            "context_length_exceeded",
            "This model's maximum context length is 4096 tokens. However, your messages resulted "
            "in 5000 tokens.",
            {},
            TooLong(5000, 4096),
        ),
        (
            "BadRequestError",
            "This model's maximum context length is 2048 tokens. However, you requested 2300 "
            "tokens (2044 in the messages, 256 in the completion).",
            {},
            TooLong(2044, 2048),
        ),
        (
            "",
            "'max_tokens' is too large: 256. This model's maximum context length is 2048 tokens "
            "and your request has 2044 input tokens (256 > 2048 - 2044).",
            None,
            TooLong(2044, 2048),
        ),
        ("context_length_exceeded", "", "?", TooLong(None, None)),
        ("invalid_value", "temperature must be below 2", {}, None),
    ],
    ids=["llama-server", "OpenAI", "vLLM", "newer vLLM", "nothing said", "something else"],
)
def test_servers_say_in_their_own_ways_that_a_prompt_is_too_long(
    code: str, message: str, error: object, told: TooLong | None
) -> None:
    assert too_long(code, message, error) == told


def test_half_of_the_turns_begins_with_one_of_the_users() -> None:
    system, last = Message("system", "s"), Message("user", "u2")
    turns = [Message("user", "u0"), Message("assistant", "a0"), Message("user", "u1")]
    dialogue = [system, *turns, Message("assistant", "a1"), last]
    assert newer_half(dialogue) == (system, last)
    assert newer_half([system, last]) == (system, last)


@pytest.mark.parametrize(
    "event",
    [
        None,
        1,
        "a",
        [],
        {},
        {"choices": 1},
        {"choices": [1]},
        {"choices": [{"delta": {"content": 1}}]},
    ],
)
def test_what_is_no_event_of_a_reply_is_refused(event: object) -> None:
    with pytest.raises(ValueError, match="not a"):
        told_by(event)


@pytest.mark.parametrize(
    "event",
    [
        {"choices": []},
        {"choices": [{}]},
        {"choices": [{"delta": None}]},
        {"choices": [{"delta": {"role": "assistant", "content": None}}]},
        {"choices": [{"delta": {"reasoning_content": "Hm"}, "logprobs": {"content": None}}]},
        {"choices": [{"delta": {}, "logprobs": 1}], "usage": 1},
    ],
)
def test_an_event_without_words_is_none_of_the_reply(event: object) -> None:
    told = told_by(event)
    assert (told.token, told.logprob, told.is_final, told.prompt_tokens) == ("", None, False, None)
