"""What is said in a call may be written in any way; what is kept of it is as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inzwa_rtc.conversation.spoken import lines
from inzwa_rtc.engines.contracts import Message
from inzwa_rtc.errors import ConfigError, PeerError
from inzwa_rtc.events import Caption, Failure, ReplyFinished
from inzwa_rtc.settings.speech import SpeechSettings
from inzwa_rtc.speech.manner import manner_of, prepare
from inzwa_rtc.speech.piece import Piece
from inzwa_rtc.speech.reading import Manner
from inzwa_rtc.speech.text.rules import Rules
from tests.support.session import calling
from tests.support.speech import PhraseReader

USUAL = manner_of(SpeechSettings())


async def test_a_reply_is_spoken_in_words_and_kept_as_it_was_written() -> None:
    written = "It costs **$26** at [our shop](https://example.org/a?b=c). 😀"
    async with calling(written, "Yes.", texts=("how much", "thanks"), manner=USUAL) as call:
        await call.question()
        await call.reply_ends(0)
        spoken = " ".join(request.text for request in call.tts.requests)
        assert "twenty-six dollars" in spoken
        assert not {"*", "$", "[", "/", "😀"} & set(spoken)
        captions = "".join(event.text for event in call.peer.all(Caption))
        assert "$26" in captions and "twenty" not in captions
        assert call.peer.last(ReplyFinished).text.strip() == written
        await call.question()
        await call.reply_ends(1)
        assert call.llm.requests[1].messages[1] == Message("assistant", written)


async def test_a_block_of_code_is_one_however_many_phrases_it_is_cut_into() -> None:
    reply = "Here it is:\n```\nsecret = 1. Then go on, please.\nand more\n```\nThat was it."
    async with calling(reply, "```\nNo more of it.", texts=("code", "more"), manner=USUAL) as call:
        await call.question()
        await call.reply_ends(0)
        spoken = " ".join(request.text for request in call.tts.requests)
        assert "secret" not in spoken and "and more" not in spoken
        assert "That was it" in spoken


async def test_the_next_reply_is_a_new_text() -> None:
    """The block of code that a reply was cut off in is not one of the next."""
    replies = ("Look:\n```\nopen = 1\n", "All is well.")
    async with calling(*replies, texts=("code", "more"), manner=USUAL) as call:
        await call.question()
        await call.reply_ends(0)
        await call.question()
        await call.reply_ends(1)
        assert call.tts.requests[-1].text.strip() == "All is well."


async def test_a_reply_of_signs_alone_is_a_turn_without_sound() -> None:
    async with calling("😀 ...", "Yes.", texts=("smile", "more"), manner=USUAL) as call:
        await call.question()
        await call.peer.told(ReplyFinished)
        await call.question()
        await call.reply_ends(1)
        assert not call.peer.all(Failure)


@pytest.mark.parametrize("ssml", [False, True])
async def test_a_model_is_not_followed_in_ssml_unless_the_operator_says_so(ssml: bool) -> None:
    """Who calls may get a model to write anything."""
    reply = '<speak>One. <sub alias="two">Three.</sub></speak>'
    manner = manner_of(SpeechSettings(ssml=ssml))
    async with calling(reply, manner=manner) as call:
        await call.question()
        await call.reply_ends(0)
        spoken = " ".join(request.text for request in call.tts.requests)
        assert ("two" in spoken) is ssml and ("Three" in spoken) is not ssml
        assert "speak" not in spoken and "<" not in spoken
        assert not call.peer.all(Failure)


async def test_a_lexicon_of_the_operators_is_followed(tmp_path: Path) -> None:
    (tmp_path / "names.yaml").write_text("en:\n  Inzwa: in zwah\n")
    manner = manner_of(SpeechSettings(lexicon=(tmp_path / "names.yaml",)))
    async with calling("This is Inzwa.", manner=manner) as call:
        await call.question()
        await call.reply_ends(0)
        assert call.tts.requests[-1].text == "This is in zwah."
        assert "".join(event.text for event in call.peer.all(Caption)).endswith("Inzwa.")


def test_a_lexicon_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        manner_of(SpeechSettings(lexicon=(tmp_path / "absent.yaml",)))


class Unreadable(PhraseReader):
    def read(self, text: str, limit: int) -> Iterator[Piece]:
        if "<" in text:
            raise PeerError("This is no SSML.", code="bad_ssml")
        yield from super().read(text, limit)


async def test_a_reply_that_cannot_be_read_costs_one_turn() -> None:
    manner = Manner(Unreadable)
    async with calling("<speak>Hello.", "Yes.", texts=("hi", "more"), manner=manner) as call:
        await call.question()
        await call.reply_ends(0)
        assert call.peer.last(Failure).code == "bad_ssml"
        assert call.peer.last(ReplyFinished).text.endswith(lines("en").fault)
        await call.question()
        await call.reply_ends(1)
        assert len(call.peer.all(Failure)) == 1


@pytest.mark.parametrize("language", ["en", "sn"])
def test_what_a_language_needs_is_loaded_before_the_first_call(language: str) -> None:
    made: list[Any] = []

    class Counting(PhraseReader):
        def __init__(self, language: str, rules: Rules) -> None:
            super().__init__(language, rules)
            made.append((language, rules))

    prepare(Manner(Counting), [language])
    assert made == [(language, Rules())]
