"""What makes two phrases sound the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace

from inzwa_rtc.speech.piece import Piece

_VERSION = 1  # another one wherever the same key comes to mean another sound


@dataclass(frozen=True, slots=True)
class PhraseKey:
    """All that the sound of a phrase depends on.

    `engine` is the one that speaks it, by its name, and `fingerprint` what that engine says of
    its model (`contracts.IdentifiedSynthesizer`). `voice_gain_db` is the gain that brings the
    voice to the loudness of others: whatever changes it, the target or a new measurement, makes
    another sound, and so do `joints`: cross-fades and fades in milliseconds. `pieces` are the
    normalised text, with the places that its words have in the text as it was written: captions
    tell these.
    """

    engine: str
    fingerprint: str
    voice: str
    language: str
    speed: float
    voice_gain_db: float
    pieces: tuple[Piece, ...] = field(repr=False)  # no text in a log
    joints: tuple[float, float] = (0.0, 0.0)

    @property
    def is_keepable(self) -> bool:
        """Whether the phrase may be kept: of an engine that does not tell its model from
        others, an old sound might be taken for the new model's."""
        return bool(self.fingerprint)

    @property
    def line(self) -> bytes:
        """The digest that this phrase has in each loudness, alike for all."""
        return replace(self, voice_gain_db=0.0).digest

    @property
    def digest(self) -> bytes:
        """SHA-256 of all of it: 32 bytes that are the same in every process."""
        told = [
            _VERSION,
            self.engine,
            self.fingerprint,
            self.voice,
            self.language,
            round(self.speed, 3),
            round(self.voice_gain_db, 1),
            self.joints,
            [
                [
                    piece.text,
                    piece.language,
                    round(piece.speed, 3),
                    round(piece.gain_db, 1),
                    piece.pause_ms,
                    [(one.start, one.end, one.source_start, one.source_end) for one in piece.spans],
                ]
                for piece in self.pieces
            ],
        ]
        return hashlib.sha256(json.dumps(told).encode()).digest()
