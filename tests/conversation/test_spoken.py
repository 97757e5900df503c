"""What the server says and tells models, in each of its languages."""

from __future__ import annotations

import pytest

from inzwa_rtc.conversation.backchannel import is_backchannel
from inzwa_rtc.conversation.peer import UpdateVoice
from inzwa_rtc.conversation.spoken import languages, lines, system_prompt
from inzwa_rtc.engines.contracts import Message, Voice
from inzwa_rtc.language import base_language
from tests.support.session import calling


@pytest.mark.parametrize(("tag", "base"), [("en", "en"), ("EN-gb", "en"), ("sn-Latn-ZW", "sn")])
def test_a_language_is_found_however_its_tag_is_written(tag: str, base: str) -> None:
    assert base_language(tag) == base
    assert lines(tag) == lines(base)
    assert system_prompt(tag) == system_prompt(base)


@pytest.mark.parametrize("language", languages())
def test_each_language_has_instructions_of_its_own_for_a_spoken_call(language: str) -> None:
    prompt = system_prompt(language)
    assert "no Markdown" in prompt
    assert not any(line.startswith("#") for line in prompt.splitlines())
    assert language == "en" or prompt != system_prompt("en")
    assert len(prompt) < 2000  # 500 tokens of a small model's 4,096


@pytest.mark.parametrize(
    "language", ["nd", "", "en-" + 97 * "x", "../en", "SN-" + 97 * "x", "en.txt"]
)
def test_a_language_that_a_caller_makes_up_has_instructions_without_being_kept(
    language: str,
) -> None:
    expected = "sn" if language.startswith("SN") else "en"
    assert system_prompt(language) is system_prompt(expected)


async def test_a_model_is_instructed_in_the_callers_language_unless_told_otherwise() -> None:
    texts = ("hello", "mhoro")
    async with calling("Hello.", "Mhoro.", texts=texts, call={"system_prompt": None}) as call:
        call.tts.voices = (*call.tts.voices, Voice("izwi", "Izwi", "sn"))
        await call.question()
        await call.reply_ends(0)
        await call.peer.command(UpdateVoice(language="sn"))
        await call.question()
        await call.reply_ends(1)
        assert [request.messages[0] for request in call.llm.requests] == [
            Message("system", system_prompt("en")),
            Message("system", system_prompt("sn")),
        ]
        assert call.tts.requests[-1].voice == "izwi"
    async with calling("Hello.", call={"system_prompt": "Be brief."}) as call:
        await call.question()
        await call.reply_ends(0)
        assert call.llm.requests[0].messages[0] == Message("system", "Be brief.")


@pytest.mark.parametrize("text", ["Mm-hm.", "uh huh", "Yeah, yeah!", "Ehe", "hmm"])
def test_words_that_say_go_on(text: str) -> None:
    assert is_backchannel(text)


@pytest.mark.parametrize("text", ["", "stop", "yeah but", "yes", "no", "...", "42"])
def test_words_that_want_an_answer(text: str) -> None:
    assert not is_backchannel(text)
