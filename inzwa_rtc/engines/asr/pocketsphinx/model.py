"""What PocketSphinx knows of one script, and the decoders made from that."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inzwa_rtc.engines.asr.pocketsphinx.domain import pronunciations, sentences
from inzwa_rtc.engines.asr.pocketsphinx.grammar import NUMBER_WORDS, network
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE
from inzwa_rtc.engines.guide.phrases import NUMBER
from inzwa_rtc.engines.guide.script import Script, phrases


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word and its frames of 10 ms; `end` is the first after it."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The words of the best path, and 100 times the natural logarithm of its score."""

    words: tuple[Word, ...]
    score: float

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


class Model:
    """Makes decoders for one script, of 7 MB each.

    Raises `ConfigError` naming words without pronunciation, ImportError without
    the library.
    """

    def __init__(self, script: Script) -> None:
        import pocketsphinx
        from pocketsphinx.lm import ArpaBoLM

        self._library = pocketsphinx
        self._acoustic = Path(pocketsphinx.get_model_path()) / "en-us"
        known = sentences(script)
        texts = [phrase.text for phrase in phrases(script)]
        words = {word for sentence in known for word in sentence.split()}
        if any(NUMBER in text for text in texts):
            words |= NUMBER_WORDS
        self._sounds = pronunciations(words, script.words, self._acoustic / "cmudict-en-us.dict")
        self.grammar = network(texts)
        self._trigram = ArpaBoLM(text="\n".join(known), add_start=True, discount_mass=0.1)
        self._trigram.compute()

    def for_phrases(self) -> Any:
        """A decoder that answers with a phrase of the script, whatever it hears.

        Its third pass is off: over a network it picked worse paths (70% right instead of 75).
        Its beams are wider than by default: of 220 phrases 8 found no way to an end without,
        and it costs a sixth more work.
        """
        with tempfile.TemporaryDirectory(prefix="inzwa-lm-") as folder:
            decoder = self._decoder(
                Path(folder), lm=None, bestpath=False, beam=1e-60, pbeam=1e-60, wbeam=1e-40
            )
        # All ways on have the same probability: what is said often is not what was said.
        grammar = self.grammar
        arcs = [(a, b, 1.0, word) if word else (a, b, 1.0) for a, b, word in grammar.arcs]
        decoder.add_fsg("phrases", decoder.create_fsg("phrases", grammar.start, grammar.end, arcs))
        decoder.activate_search("phrases")
        return decoder

    def for_words(self) -> Any:
        """A decoder that takes the script's words in any order, by a trigram of its sentences.

        More weight for the trigram and the third pass: of the phrases that the other decoder
        got right it heard more alike, and 2% instead of 6 passed that were wrong.
        """
        with tempfile.TemporaryDirectory(prefix="inzwa-lm-") as folder:
            file = Path(folder) / "model.arpa"
            if not self._trigram.write_file(str(file)):
                raise OSError(f"the language model cannot be written to {folder}")
            return self._decoder(
                Path(folder), lm=str(file), lw=10, beam=1e-60, pbeam=1e-60, wbeam=1e-40,
                bestpath=True,
            )  # fmt: skip

    def _decoder(self, folder: Path, **settings: Any) -> Any:
        """A new decoder. Its files are read while it is made."""
        words = folder / "words.dict"
        words.write_text(
            "".join(
                f"{word}{f'({way})' if way > 1 else ''} {phones}\n"
                for word, ways in sorted(self._sounds.items())
                for way, phones in enumerate(ways, start=1)
            ),
            encoding="utf-8",
        )
        return self._library.Decoder(
            hmm=str(self._acoustic / "en-us"), dict=str(words), samprate=ASR_SAMPLE_RATE,
            fwdflat=False, maxhmmpf=-1, loglevel="FATAL", **settings,
        )  # fmt: skip


def decode(decoder: Any, pcm: bytes) -> Hypothesis | None:
    """What a decoder makes of a whole utterance, levelled by the mean of all of it.

    Nothing is left of what it heard before. The library keeps the interpreter lock for all
    of it (60 ms for two seconds): in pieces it would level by a mean known beforehand, and
    the only way to that mean decodes everything once more.
    """
    decoder.reinit_feat()
    decoder.start_utt()
    decoder.process_raw(pcm, False, True)
    decoder.end_utt()
    return hypothesis(decoder)


def hypothesis(decoder: Any) -> Hypothesis | None:
    """What a decoder has understood by now."""
    best = decoder.hyp()
    if best is None:
        return None
    words = tuple(
        Word(part.word.partition("(")[0], part.start_frame, part.end_frame + 1)
        for part in decoder.seg()
        if part.word[0] not in "<[("
    )
    if not words:
        return None
    return Hypothesis(words, 100 * _natural(decoder, best.score))


def _natural(decoder: Any, score: float) -> float:
    """The natural logarithm of a score, by PocketSphinx's own arithmetic: it may be tiny."""
    return float(decoder.logmath.log_to_ln(decoder.logmath.log(score)))
