"""Words and their times, as programs and players read them."""

from __future__ import annotations

import json

from inzwa_rtc.engines.contracts import WordTime
from inzwa_rtc.speech.subtitles import LINE_CHARS, as_json, as_srt, as_vtt, said

TEXT = "Is 3 < 4? Yes, and that will be so for as long as anybody counts at all."


def words(every_ms: int = 300) -> list[WordTime]:
    times, at = [], 0
    for number, word in enumerate(TEXT.split()):
        at = TEXT.index(word, at)
        times.append(WordTime(at, len(word), number * every_ms, number == 1))
        at += len(word)
    return times


def test_a_word_lasts_until_the_next_one() -> None:
    spoken = json.loads(as_json(said(TEXT, words(), 9000)))
    assert spoken[1] == {
        "text": "3",
        "offset": 3,
        "start_ms": 300,
        "end_ms": 600,
        "is_estimated": True,
    }
    assert spoken[-1]["end_ms"] == 9000
    assert len(spoken) == len(TEXT.split())


def test_subtitles_are_lines_that_can_be_read() -> None:
    srt = as_srt(said(TEXT, words(), 9000))
    assert srt.startswith("1\n00:00:00,000 --> 00:00:01,200\nIs 3 < 4?\n\n2\n00:00:01,200 --> ")
    lines = [block.split("\n")[2] for block in srt.strip().split("\n\n")]
    assert " ".join(lines) == TEXT
    assert max(map(len, lines)) <= LINE_CHARS
    assert srt.rstrip().split("\n")[-2].endswith("--> 00:00:09,000")


def test_web_subtitles_hold_no_tags() -> None:
    vtt = as_vtt(said(TEXT, words(), 9000))
    assert vtt.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.200\nIs 3 &lt; 4?\n\n")


def test_no_line_stays_for_long() -> None:
    srt = as_srt(said(TEXT, words(every_ms=4000), 4_000_000))
    assert srt.count("-->") == len(TEXT.split())
    assert "01:06:40,000" in srt


def test_a_speech_without_words_has_no_lines() -> None:
    assert (as_srt([]), as_vtt([]), as_json([])) == ("", "WEBVTT\n\n", "[]\n")
