"""Markdown as it is read aloud."""

from __future__ import annotations

import pytest

from inzwa_rtc.speech.text import Rules, TextReader
from tests.support.read_aloud import heard_for, pieces, spoken


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("This is **very** *fine* and __so__ _on_.", "This is very fine and so on."),
        ("***Both*** and ~~gone~~", "Both and gone"),
        ("`make install` it", "make install it"),
        ('Read [the page](https://x.org/a_(b) "title").', "Read the page."),
        ("Read [the page][1].\n\n[1]: https://x.org", "Read the page."),
        ("![A cat](cat.png)", "A cat"),
        ("Fact[^1].", "Fact."),
        ("<https://example.com>", "example dot com"),
        ("a<br/>b <b>c</b> <!-- d -->", "a, b c"),
        ("Tom &amp; Jerry &lt;3", "Tom and Jerry three"),
        (r"\*not\* emphasised", "not emphasised"),
        ("2 * 3 * 4", "two times three times four"),
        ("snake_case_name", "snake case name"),
        ("Wow!!!!! Really????", "Wow! Really?"),
        ("one -- two — three", "one, two, three"),
        ("\u202eHi\u200b there\ufeff \ud83d", "Hi there"),
        ("ｆｕｌｌ １２", "full twelve"),
    ],
)
def test_marks_are_not_said(written: str, said: str) -> None:
    assert spoken(written) == said


def test_headings_items_and_rows_stand_apart() -> None:
    text = "# Plan\n1. Eat\n- Sleep\n\n| Day | Hour |\n|:--|--:|\n| Monday | 8 |\n\n> Said\n> so."
    assert [(piece.text, piece.pause_ms) for piece in pieces(text)] == [
        ("Plan.", 400),
        ("one. Eat.", 200),
        ("Sleep.", 300),
        ("Day, Hour.", 200),
        ("Monday, eight.", 300),
        ("Said so.", 0),
    ]


def test_lines_of_one_paragraph_read_on() -> None:
    assert [piece.text for piece in pieces("It goes\non here.\n\nNew.")] == [
        "It goes on here.",
        "New.",
    ]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (Rules(), "Look: Code block. Done."),
        (Rules(code_blocks="skip"), "Look: Done."),
        (Rules(code_blocks="read"), "Look: run it. Done."),
    ],
)
def test_a_code_block_is_announced_skipped_or_read(rules: Rules, said: str) -> None:
    assert spoken("Look:\n```sh\nrun it\n```\nDone.", rules=rules) == said


def test_a_code_block_may_begin_and_end_in_different_parts() -> None:
    reader = TextReader("en")
    parts = ["Look.\n", "```python\n", "x = 1; ", "# no heading\n", "y = 2\n", "```\n", "Done."]
    said = [[piece.text for piece in reader.read(part, 200)] for part in parts]
    assert said == [["Look."], ["Code block."], [], [], [], [], ["Done."]]


def test_a_part_that_goes_on_in_a_line_begins_no_list() -> None:
    reader = TextReader("en")
    said = [
        piece.text
        for part in ("Five, ", "- no item, ", "# nor this")
        for piece in reader.read(part, 99)
    ]
    assert said == ["Five,", "no item,", "nor this"]


@pytest.mark.parametrize(
    "text", ["", "😀👍🏽🇿🇼", "?!... — *", "\x00\x07\u200b\u202e", "---", "\n\n", "\ud800"]
)
def test_nothing_to_say_is_no_error(text: str) -> None:
    assert pieces(text) == []


def test_emoji_are_passed_over_or_named() -> None:
    assert spoken("Well done 👍🏽!") == "Well done!"
    assert spoken("Well done 👍!", rules=Rules(emoji="name")) == "Well done thumbs up!"
    assert spoken("Gut 👍!", "de", Rules(emoji="name")) == "Gut daumen hoch!"


def test_words_keep_their_place_behind_marks() -> None:
    assert heard_for("- **Fine** [day](https://x.org)") == [("Fine", "Fine"), ("day", "day")]
