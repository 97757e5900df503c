"""Whatever a text holds, it is read: within its limit, in order, with every word in its place."""

from __future__ import annotations

import re
from typing import SupportsIndex

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inzwa_rtc.speech.piece import Piece
from inzwa_rtc.speech.text import Rules, TextReader
from tests.support.read_aloud import pieces

MARKED = st.text(
    st.sampled_from(list("aZ19 .,:;-–/\\*_#`~[]()<>&|!?$€%+°\n\t'\"é😀\u200d\ufe0f۳²")), max_size=80
)
LANGUAGES = st.sampled_from(
    ["en", "en-US", "en-IN", "en-NG", "sn", "de", "fr", "zh", "ar", "am", "kn", "xx"]
)


def check(text: str, found: list[Piece], limit: int) -> None:
    """What every reading keeps to."""
    place = 0
    for piece in found:
        assert len(piece.text) <= limit
        assert piece.text == piece.text.strip()
        assert piece.text or piece.pause_ms
        at = source = 0
        for span in piece.spans:
            assert at <= span.start < span.end <= len(piece.text)
            assert source <= span.source_start <= span.source_end <= len(text)
            at, source = span.end, span.source_end
        if piece.spans:
            # Only the parts of one thing that was cut may stand for the same place.
            assert piece.spans[0].source_start >= place
            place = piece.spans[-1].source_start


@settings(max_examples=150, deadline=None)
@given(
    text=st.one_of(st.text(st.characters(), max_size=60), MARKED),
    language=LANGUAGES,
    limit=st.integers(1, 300),
)
@example(text="\ud800\udc00", language="en", limit=1)
@example(text="€٣ १२%", language="de", limit=99)
@example(text="你好。1.5", language="xx", limit=1)
@example(text="1,000,000,000,000,000,000.5%", language="en", limit=5)
def test_any_text_is_read(text: str, language: str, limit: int) -> None:
    check(text, pieces(text, language, limit=limit), limit)


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(MARKED, max_size=6), name=st.booleans())
def test_any_parts_are_read(parts: list[str], name: bool) -> None:
    reader = TextReader("en", Rules(emoji="name" if name else "skip", code_blocks="read"))
    for part in parts:
        check(part, list(reader.read(part, 80)), 80)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.from_regex(r"[a-zà-ÿ]{1,12}|[1-9]\d{0,5}|Dr\.|\$\d{1,4}", fullmatch=True),
        min_size=1,
        max_size=30,
    )
)
def test_every_word_of_prose_has_a_span(words: list[str]) -> None:
    text = " ".join(words)
    covered = set[int]()
    for piece in pieces(text):
        for span in piece.spans:
            covered |= set(range(span.source_start, span.source_end))
    assert {match.start() for match in re.finditer(r"\w", text)} <= covered


KINDS = [
    *("a", "A", "1", "0", ".", ",", "-", "_", "*", "#", "`", "~", "[", "]", "(", "<", "&", "|"),
    *("/", "\\", "@", "$", "%", "+", "!", "?", "'", '"', "=", ":", "™", "é", "你", "。", "😀", "🇿"),
    *("🏽", "٣", "²", "½", "ก", "ה", "I", "V", "a.", "1.", "1,", "a@", "1-", "a-", "A.", "[a]("),
    *("<a", "&a", "**a", "1/", "https://", "|a", "```", "$1", "a/", "1:", "x1", "(1", "--"),
]
SPACED = [" ", "\t", "\n", "\r\n", "\x00", "\u200b", "\u0301", "\u200d", "\ud800", "\u2066"]
SPACED += ["- ", "a ", "1 ", "0 1", "> ", "+1 ", "<a "]


@pytest.mark.parametrize("unit", [*KINDS, *SPACED])
def test_50000_characters_of_one_kind_are_read_in_pieces(unit: str) -> None:
    text = (unit * 50_000)[:50_000]
    check(text, pieces(text, limit=250), 250)


def test_a_word_without_end_is_cut_between_characters_as_readers_see_them() -> None:
    text = "e\u0301" * 1000
    assert all(not piece.text.startswith("\u0301") for piece in pieces(text, limit=101))


def test_the_first_piece_is_short() -> None:
    text = "When you have eaten, we go to the market together and buy all that we need. Rest."
    assert next(piece.text for piece in pieces(text)) == "When you have eaten,"


def test_short_sentences_are_said_together() -> None:
    text = "This is a sentence to begin with. Yes. It is. And so on, until it is long enough."
    assert [piece.text for piece in pieces(text)][
        1
    ] == "Yes. It is. And so on, until it is long enough."


def test_a_long_text_is_read_as_it_is_taken() -> None:
    class Taken(str):
        """Counts how much of the text anybody took."""

        chars = 0

        def __getitem__(self, key: SupportsIndex | slice) -> str:
            found = super().__getitem__(key)
            Taken.chars += len(found)
            return found

    text = Taken("A sentence that is said. " * 2000)
    next(TextReader("en").read(text, 200))
    assert Taken.chars < 4000


@pytest.mark.parametrize("language", ["en", "en-GB", "en-IN", "en-NG", "en-ZW"])
@pytest.mark.parametrize("length", range(9, 18))
def test_large_numbers_are_read_in_every_english(language: str, length: int) -> None:
    figures = ("98765432109876543210")[:length]
    text = f"{figures} or ${figures}, {int(figures):,} km, {figures[:10]}th, 1\u202f000-{figures}"
    check(text, pieces(text, language), 400)


@pytest.mark.parametrize(
    "language",
    ["", "-", "en-!!", "EN_us", "sn-??", "de-XX", "zh-Hans-CN", "😀", "en-" + "x" * 1000],
)
def test_any_language_tag_is_read(language: str) -> None:
    assert pieces("It is 3/4/2026, 5 km, $5.", language)[0].text.startswith("It is")
