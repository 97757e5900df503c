"""The words of a speech and when they are said, as JSON and as subtitles (SubRip, WebVTT)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Literal

from inzwa_rtc.engines.contracts import WordTime

WordsFormat = Literal["json", "srt", "vtt"]

LINE_CHARS = 42  # that people read at a glance; broadcasters' rule
LINE_MS = 6_000


@dataclass(frozen=True, slots=True)
class SaidWord:
    """A word as it is written. It lasts until the next one starts, pauses included."""

    text: str
    offset: int
    start_ms: int
    end_ms: int
    is_estimated: bool


def said(text: str, words: Sequence[WordTime], total_ms: int) -> list[SaidWord]:
    """The words of a text whose speech lasts so long."""
    ends = [*(later.start_ms for _, later in pairwise(words)), total_ms]
    return [
        SaidWord(
            text[word.offset : word.offset + word.length],
            word.offset,
            word.start_ms,
            max(word.start_ms, end),
            word.is_estimated,
        )
        for word, end in zip(words, ends, strict=True)
    ]


def as_json(words: Sequence[SaidWord]) -> str:
    """A list of objects."""
    return json.dumps([asdict(word) for word in words], ensure_ascii=False, indent=1) + "\n"


def as_srt(words: Sequence[SaidWord]) -> str:
    """SubRip: numbered lines."""
    return "".join(
        f"{number}\n{_time(line, ',')}\n{_text(line)}\n\n"
        for number, line in enumerate(_lines(words), 1)
    )


def as_vtt(words: Sequence[SaidWord]) -> str:
    """WebVTT."""
    lines = (f"{_time(line, '.')}\n{_escaped(_text(line))}\n\n" for line in _lines(words))
    return "WEBVTT\n\n" + "".join(lines)


WRITERS: Mapping[WordsFormat, Callable[[Sequence[SaidWord]], str]] = {
    "json": as_json,
    "srt": as_srt,
    "vtt": as_vtt,
}


def _lines(words: Sequence[SaidWord]) -> Iterator[Sequence[SaidWord]]:
    line: list[SaidWord] = []
    for word in words:
        if line and (
            len(_text([*line, word])) > LINE_CHARS
            or word.end_ms - line[0].start_ms > LINE_MS
            or line[-1].text.rstrip("\"'”’»)]")[-1:] in (".", "!", "?", "…")
        ):
            yield line
            line = []
        line.append(word)
    if line:
        yield line


def _text(line: Sequence[SaidWord]) -> str:
    return " ".join(" ".join(word.text.split()) for word in line)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _time(line: Sequence[SaidWord], sign: str) -> str:
    return f"{_clock(line[0].start_ms, sign)} --> {_clock(line[-1].end_ms, sign)}"


def _clock(ms: int, sign: str) -> str:
    minutes, left = divmod(ms, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{left // 1000:02}{sign}{left % 1000:03}"
