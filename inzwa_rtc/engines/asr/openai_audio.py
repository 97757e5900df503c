"""OpenAI's transcription interface as data: the audio sent, and what its answers say. No I/O.

Servers fill in the answer as far as they can: whisper-1 and most others give segments with
their likelihood, some give words with their times, the gpt models tokens with theirs.
"""

from __future__ import annotations

import io
import math
import wave
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from inzwa_rtc.engines.asr.decoding import Decoded
from inzwa_rtc.engines.asr.languages import code_of
from inzwa_rtc.engines.asr.waiting import Audio
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE, HeardWord

_SHORTEST = ASR_SAMPLE_RATE // 2  # OpenAI refuses less than 0.1 s, and Whisper invents in it
_NO_SPEECH = 0.6  # probability, and
_LARGEST = 1e6  # seconds, and more than any logarithm: what is beyond, or no number, means nothing
_UNLIKELY = -1.0  # mean log probability: Whisper's own rule for a segment of no words


def to_wav(audio: Audio) -> bytes:
    """The audio as a file, with silence at its end where it is too short to be taken."""
    padded = np.pad(audio, (0, max(0, _SHORTEST - len(audio))))
    samples = np.round(np.clip(padded, -1, 1) * 32767).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as writing:
        writing.setnchannels(1)
        writing.setsampwidth(2)
        writing.setframerate(ASR_SAMPLE_RATE)
        writing.writeframes(samples.tobytes())
    return file.getvalue()


def heard(answer: object, language: str | None) -> Decoded:
    """What the answer (`json` or `verbose_json`) says. `language` is the one asked for.

    Raises `ValueError` for what is no answer.
    """
    if not isinstance(answer, Mapping) or not isinstance(answer.get("text"), str):
        raise ValueError("not a transcript")
    segments = _objects(answer, "segments")
    spoken = [segment for segment in segments if not _is_silence(segment)]
    text = answer["text"]
    if len(spoken) < len(segments):
        text = " ".join(str(segment.get("text", "")).strip() for segment in spoken)
    text = " ".join(_unicode(text).split())
    confidence = _confidence(answer, spoken) if text else 0.0
    words = [word for word in _words(answer, confidence) if _is_within(word, segments, spoken)]
    named = answer.get("language")
    return Decoded(
        text,
        language or (code_of(named) if isinstance(named, str) else ""),
        confidence,
        _spelt(words, text),
    )


def _is_silence(segment: Mapping[str, Any]) -> bool:
    silence, likelihood = _number(segment, "no_speech_prob"), _number(segment, "avg_logprob")
    if silence is None or likelihood is None:
        return False
    return silence > _NO_SPEECH and likelihood < _UNLIKELY


def _confidence(answer: Mapping[str, Any], spoken: list[Mapping[str, Any]]) -> float:
    """The mean probability of a token; 1 where the server tells nothing of it."""
    told = [_number(segment, "avg_logprob") for segment in spoken]
    told += [_number(token, "logprob") for token in _objects(answer, "logprobs")]
    known = [value for value in told if value is not None]
    return math.exp(min(0.0, sum(known) / len(known))) if known else 1.0


def _words(answer: Mapping[str, Any], confidence: float) -> Iterator[HeardWord]:
    for word in _objects(answer, "words"):
        start, end = _number(word, "start"), _number(word, "end")
        text = word.get("word")
        if start is not None and end is not None and isinstance(text, str) and text.strip():
            start_ms = max(0, round(start * 1000))
            yield HeardWord(
                _unicode(text).strip(), start_ms, max(start_ms, round(end * 1000)), confidence
            )


def _is_within(
    word: HeardWord, segments: list[Mapping[str, Any]], spoken: list[Mapping[str, Any]]
) -> bool:
    """Whether the word is in one of the segments that are kept."""
    if len(spoken) == len(segments):
        return True
    return any(
        (_number(segment, "start") or 0) * 1000
        <= word.start_ms
        < (_number(segment, "end") or 0) * 1000
        for segment in spoken
    )


def _spelt(words: list[HeardWord], text: str) -> tuple[HeardWord, ...]:
    """The words as the text has them: whisper-1 leaves the punctuation off."""
    spelt = text.split()
    if len(spelt) != len(words):
        return tuple(words)
    return tuple(replace(word, text=one) for word, one in zip(words, spelt, strict=True))


def _objects(holder: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = holder.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _unicode(text: str) -> str:
    """The text without halves of characters, which JSON can hold and nothing else."""
    return text.encode(errors="replace").decode()


def _number(holder: Mapping[str, Any], name: str) -> float | None:
    value = holder.get(name)
    if not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        return None
    return float(value)
