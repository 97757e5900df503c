"""A transcript in each of the formats that OpenAI's API has."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from inzwa_rtc.speech.subtitles import SaidWord, as_srt, as_vtt
from signaling.operations.transcribing import Transcript

ResponseFormat = Literal["json", "text", "srt", "verbose_json", "vtt"]


class TranscriptionJson(BaseModel):
    """What was said."""

    text: str


class VerboseWord(BaseModel):
    """A word; times in seconds."""

    word: str
    start: float
    end: float


class VerboseSegment(BaseModel):
    """An utterance; times in seconds. What no engine here tells is as OpenAI's API has it for
    sure speech: clients read these members."""

    id: int
    seek: int = 0
    start: float
    end: float
    text: str
    tokens: list[int] = []
    temperature: float = 0.0
    avg_logprob: float = 0.0
    compression_ratio: float = 1.0
    no_speech_prob: float = 0.0
    confidence: float


class TranscriptionVerbose(TranscriptionJson):
    """What was said and when; `language` is BCP 47, `duration` in seconds."""

    task: str
    language: str
    duration: float
    confidence: float
    segments: list[VerboseSegment]
    words: list[VerboseWord] | None = None


def rendered(
    transcript: Transcript, form: ResponseFormat, task: str, *, words: bool
) -> TranscriptionJson | str:
    """The body of an answer; `words` adds the words to `verbose_json`."""
    match form:
        case "json":
            return TranscriptionJson(text=transcript.text)
        case "text":
            return f"{transcript.text}\n"
        case "srt":
            return as_srt(_said(transcript))
        case "vtt":
            return as_vtt(_said(transcript))
        case "verbose_json":
            return _verbose(transcript, task, words=words)


def _verbose(transcript: Transcript, task: str, *, words: bool) -> TranscriptionVerbose:
    return TranscriptionVerbose(
        text=transcript.text,
        task=task,
        language=transcript.language,
        duration=round(transcript.duration_s, 3),
        confidence=round(transcript.confidence, 3),
        segments=[
            VerboseSegment(
                id=number,
                start=segment.start_ms / 1000,
                end=segment.end_ms / 1000,
                text=segment.text,
                confidence=round(segment.confidence, 3),
            )
            for number, segment in enumerate(transcript.segments)
        ],
        words=[
            VerboseWord(word=word.text, start=word.start_ms / 1000, end=word.end_ms / 1000)
            for word in transcript.words
        ]
        if words
        else None,
    )


def _said(transcript: Transcript) -> list[SaidWord]:
    """What subtitles are made of: words, or whole utterances where there are no times of words."""
    return [
        SaidWord(one.text, 0, one.start_ms, one.end_ms, is_estimated=False)
        for segment in transcript.segments
        for one in (segment.words or (segment,))
    ]
