"""Texts as they are read aloud."""

from __future__ import annotations

from inzwa_rtc.speech.piece import Piece
from inzwa_rtc.speech.text import Rules, TextReader

LIMIT = 400


def pieces(
    text: str, language: str = "en", rules: Rules | None = None, limit: int = LIMIT
) -> list[Piece]:
    return list(TextReader(language, rules or Rules()).read(text, limit))


def spoken(text: str, language: str = "en", rules: Rules | None = None, limit: int = LIMIT) -> str:
    """All that is said, in a line."""
    return " ".join(piece.text for piece in pieces(text, language, rules, limit))


def heard_for(text: str, language: str = "en") -> list[tuple[str, str]]:
    """Each spoken word and what it stands for in the text."""
    return [
        (piece.text[span.start : span.end], text[span.source_start : span.source_end])
        for piece in pieces(text, language)
        for span in piece.spans
    ]
