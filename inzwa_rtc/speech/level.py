"""The loudness of one phrase: what it begins with, it keeps to its end."""

from __future__ import annotations

from inzwa_rtc.engines.contracts import Speaker
from inzwa_rtc.speech.loudness import Loudness, applied


class Level:
    """Brings each voice of a phrase to the loudness of all others, and listens to it.

    `rate` is that of the sound in Hz; `speaker` the engine that is expected to speak, whose
    model is known.
    """

    def __init__(self, loudness: Loudness, rate: int, speaker: Speaker | None) -> None:
        self._loudness = loudness
        self._rate = rate
        self._speaker = speaker
        self._gains: dict[tuple[str, str], float] = {}
        self.has_learned = False
        """Whether a voice has become known by this phrase: the moment to save what is known."""

    def gain(self, engine: str, voice: str) -> float:
        """In dB, the same for as long as the phrase lasts."""
        named = (engine, voice)
        if named not in self._gains:
            model = self._model(engine)
            self._gains[named] = self._loudness.gain(engine, voice, model)
        return self._gains[named]

    def levelled(self, engine: str, voice: str, pcm: bytes, further_db: float = 0.0) -> bytes:
        """The voice's sound (int16 LE mono) as it is to be heard, `further_db` louder."""
        gain = self.gain(engine, voice)
        if self._loudness.feed(engine, voice, pcm, self._rate, self._model(engine)):
            self.has_learned = True
        return applied(pcm, gain + further_db)

    def _model(self, engine: str) -> str:
        if self._speaker is not None and self._speaker.engine == engine:
            return self._speaker.fingerprint
        return ""
