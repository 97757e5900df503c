"""One PocketSphinx decoder made for the script's sentences, and how sure it is.

PocketSphinx levels a voice by the mean of its cepstra, which at the start of
an utterance is a guess of its own. An ear waits for the first second, takes
that second's mean and then decodes from the beginning: on synthetic voices
this nearly doubled the phrases understood at 10 dB of noise, and it costs about 60 ms of
work once, as a rule long before the utterance ends.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from inzwa_rtc.engines.asr.pocketsphinx.confidence import ONE_WORD_OFF, confidence
from inzwa_rtc.engines.asr.pocketsphinx.domain import pronunciations, sentences
from inzwa_rtc.engines.asr.pocketsphinx.likeness import PhraseBook
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE
from inzwa_rtc.engines.guide.script import Script, phrases

_FRAME_MS = 10
_BYTES_PER_S = 2 * ASR_SAMPLE_RATE
_STEP_BYTES = _BYTES_PER_S * 40 // 1000
# A noise floor of -60 dBFS: digital silence, as noise suppressors leave it, upsets the mean.
_FLOOR = 30.0
_MOST_HYPOTHESES = 60  # 2 ms as a rule, 20 ms at worst
_MOST_BYTES = 120 * _BYTES_PER_S  # nobody speaks to the guide for two minutes: the rest is dropped


@dataclass(frozen=True, slots=True)
class Heard:
    """Words, when they were said, and how sure the ear is of them (0 to 1)."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float


class EarModel:
    """What all ears share: the language model and dictionary of one script, as text.

    Raises `ConfigError` naming words without pronunciation, ImportError without
    the library.
    """

    def __init__(self, script: Script) -> None:
        import pocketsphinx
        from pocketsphinx.lm import ArpaBoLM

        self._library = pocketsphinx
        self._acoustic = Path(pocketsphinx.get_model_path()) / "en-us"
        known = sentences(script)
        self._sounds = pronunciations(known, script.words, self._acoustic / "cmudict-en-us.dict")
        self._trigram = ArpaBoLM(text="\n".join(known), add_start=True, discount_mass=0.1)
        self._trigram.compute()
        self.phrases = PhraseBook(phrases(script))

    def decoder(self) -> Any:
        """A new decoder. Its files are read while it is made, and then removed."""
        with tempfile.TemporaryDirectory(prefix="inzwa-lm-") as folder:
            model, words = Path(folder) / "model.arpa", Path(folder) / "words.dict"
            if not self._trigram.write_file(str(model)):
                raise OSError(f"the language model cannot be written to {folder}")
            words.write_text(
                "".join(
                    f"{word}{f'({way})' if way > 1 else ''} {phones}\n"
                    for word, ways in sorted(self._sounds.items())
                    for way, phones in enumerate(ways, start=1)
                ),
                encoding="utf-8",
            )
            # Wider beams and more weight for the model than by default, and little discount
            # above: a seventh slower, and 54% instead of 43% of hard synthetic phrases exact.
            return self._library.Decoder(
                hmm=str(self._acoustic / "en-us"), lm=str(model), dict=str(words),
                samprate=ASR_SAMPLE_RATE, fwdflat=False, bestpath=True, loglevel="FATAL",
                lw=10, beam=1e-80, pbeam=1e-80, wbeam=1e-60, maxhmmpf=-1,
            )  # fmt: skip


class Ear:
    """Hears one utterance after another: `begin`, `feed`..., `finish`, `end`."""

    def __init__(self, model: EarModel) -> None:
        self._phrases = model.phrases
        self._decoder = model.decoder()
        self._running = False

    def begin(self) -> None:
        """Forget everything and listen."""
        self._noise = np.random.default_rng(0)
        self._waiting = bytearray()  # the first second at most
        self._odd = b""
        self._taken = 0

    def feed(self, pcm: bytes) -> None:
        """Take int16 LE mono 16 kHz audio."""
        pcm = self._odd + pcm
        self._odd = pcm[len(pcm) & ~1 :]
        pcm = pcm[: min(len(pcm) & ~1, _MOST_BYTES - self._taken)]
        self._taken += len(pcm)
        pcm = self._with_floor(pcm)
        if self._running:
            self._decoder.process_raw(pcm, False, False)
            return
        self._waiting += pcm
        if len(self._waiting) >= _BYTES_PER_S:
            self._start()

    def so_far(self) -> Heard:
        """What was understood by now; nothing in the first second."""
        if not self._running:
            return _NOTHING
        words = self._words()
        text = " ".join(word.text for word in words)
        return _heard(words, text, confidence([word.posterior for word in words], None))

    def finish(self) -> Heard:
        """The utterance is over: what was understood.

        Of the best hypotheses it is the first that is a phrase of the script; else the
        phrase from which the best differs in one word; else the best as it stands, with
        little confidence.
        """
        if not self._running:
            if not self._waiting:
                return _NOTHING
            self._start()
        self._running = False
        self._decoder.end_utt()
        words = self._words()
        text, behind = self._phrase()
        return _heard(words, text, confidence([word.posterior for word in words], behind))

    def end(self) -> None:
        """Stop, whether finished or not."""
        if self._running:
            self._running = False
            self._decoder.end_utt()
        self._waiting = bytearray()

    def _start(self) -> None:
        """Level by what waits, then decode it. Steps are short to let other threads run."""
        first = bytes(self._waiting)
        self._waiting = bytearray()
        self._decoder.reinit_feat()  # forgets the level and noise of the utterance before
        self._decoder.start_utt()
        self._decoder.process_raw(first, True, True)
        self._decoder.end_utt()
        self._decoder.set_cmn(self._decoder.get_cmn(False))
        self._decoder.start_utt()
        self._running = True
        for start in range(0, len(first), _STEP_BYTES):
            self._decoder.process_raw(first[start : start + _STEP_BYTES], False, False)

    def _with_floor(self, pcm: bytes) -> bytes:
        samples = np.frombuffer(pcm, "<i2") + self._noise.standard_normal(len(pcm) // 2) * _FLOOR
        return np.clip(samples, -32768, 32767).astype("<i2").tobytes()

    def _words(self) -> list[_Word]:
        if self._decoder.hyp() is None:
            return []
        return [
            _Word(_plain(part.word), part.start_frame, part.end_frame + 1, part.prob)
            for part in self._decoder.seg()
            if part.word[0] not in "<["
        ]

    def _phrase(self) -> tuple[str, float | None]:
        """The first hypothesis that is a phrase, and how far it is behind the best one."""
        if self._decoder.hyp() is None:
            return "", None
        log = self._decoder.logmath.log
        best: float | None = None
        for hypothesis in islice(self._decoder.nbest(), _MOST_HYPOTHESES):
            if hypothesis is None:
                break
            score = log(hypothesis.score)
            best = score if best is None else best
            text = " ".join(_plain(word) for word in hypothesis.hypstr.split())
            if self._phrases.holds(text):
                return text, (best - score) / 10_000
        text = " ".join(_plain(word) for word in self._decoder.hyp().hypstr.split())
        nearest = self._phrases.nearest(text)
        return (nearest, ONE_WORD_OFF) if nearest else (text, None)


@dataclass(frozen=True, slots=True)
class _Word:
    """A recognised word, its frames (of 10 ms) and its posterior."""

    text: str
    start: int
    end: int
    posterior: float


_NOTHING = Heard("", 0, 0, 0.0)


def _heard(words: list[_Word], text: str, sure: float) -> Heard:
    if not words:
        return _NOTHING
    return Heard(text, words[0].start * _FRAME_MS, words[-1].end * _FRAME_MS, sure)


def _plain(word: str) -> str:
    """The word without the number of its pronunciation: "a(2)" is "a"."""
    return word.partition("(")[0]
