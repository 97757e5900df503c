"""Phrases share a key when they sound the same, in every process."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from inzwa_rtc.speech.cache.key import PhraseKey
from inzwa_rtc.speech.piece import Piece, Span

PIECE = Piece("Twenty-six apples.", "en", (Span(0, 10, 0, 2),))
KEY = PhraseKey("espeak", "espeak-ng 1.52", "en-gb", "en", 1.0, -2.5, (PIECE,))


def test_its_digest_is_the_same_in_every_process_and_release() -> None:
    """Kept phrases are found by it after a restart: change `_VERSION` if this must change."""
    assert KEY.digest.hex() == "90b1d788d8c3eee75551f791901e21a25db5d47d46091b311f6104625a03f159"


@pytest.mark.parametrize(
    "change",
    [
        {"engine": "piper"},
        {"fingerprint": "espeak-ng 1.53"},
        {"voice": "en-us"},
        {"language": "en-GB"},
        {"speed": 1.1},
        {"voice_gain_db": -2.6},
        {"pieces": (replace(PIECE, text="Twenty-seven apples."),)},
        {"pieces": (replace(PIECE, language="sn"),)},
        {"pieces": (replace(PIECE, speed=1.1),)},
        {"pieces": (replace(PIECE, gain_db=6.0),)},
        {"pieces": (replace(PIECE, pause_ms=100),)},
        {"joints": (10.0, 3.0)},
        {"pieces": (PIECE, PIECE)},
        {"pieces": (replace(PIECE, spans=(Span(0, 10, 2, 4),)),)},  # "**26**": other captions
        {"pieces": (replace(PIECE, text="Twenty-six"), replace(PIECE, text=" apples."))},
        {"engine": "espeakespeak-ng", "fingerprint": " 1.52"},
    ],
    ids=lambda change: " ".join(change),
)
def test_whatever_sounds_otherwise_has_another_digest(change: dict[str, Any]) -> None:
    assert replace(KEY, **change).digest != KEY.digest


def test_a_pace_worked_out_otherwise_is_the_same_pace() -> None:
    assert replace(KEY, speed=1.1).digest == replace(KEY, speed=1.0 + 0.1 + 1e-12).digest


@pytest.mark.parametrize("text", ["", "\ud83d", "\x00", "x" * 50_000, "مرحبا"])
def test_any_text_has_a_digest(text: str) -> None:
    assert len(replace(KEY, pieces=(Piece(text, "en"),)).digest) == 32


def test_no_text_is_shown_where_a_key_is_printed() -> None:
    assert "apples" not in repr(KEY)


def test_an_engine_that_does_not_tell_its_model_is_not_to_be_kept() -> None:
    assert KEY.is_keepable
    assert not replace(KEY, fingerprint="").is_keepable
