"""Groups of settings that concern calls themselves."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from inzwa_rtc.settings.group import Group


class TurnSettings(Group):
    """When the caller's turn starts and ends; probabilities are the voice detector's.

    From `maybe_ms` on the reply is paused. Recognised words cut it, or `interrupt_ms` of voice:
    more than an "mm-hm", which takes 300 to 450 ms. As the caller hears silence already, a late
    cut costs them nothing.
    """

    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    release_threshold: Annotated[float, Field(gt=0, lt=1)] = 0.35
    maybe_ms: Annotated[int, Field(ge=20, le=500)] = 60
    start_ms: Annotated[int, Field(ge=40, le=1000)] = 200
    interrupt_ms: Annotated[int, Field(ge=40, le=5000)] = 500
    stop_ms: Annotated[int, Field(ge=40, le=2000)] = 120
    silence_ms: Annotated[int, Field(ge=100, le=5000)] = 500
    preroll_ms: Annotated[int, Field(ge=0, le=1000)] = 300
    max_utterance_ms: Annotated[int, Field(ge=1000, le=120_000)] = 12_000


class TimeoutSettings(Group):
    """How long each stage of a turn may take, in seconds, before the caller is told."""

    recognition: Annotated[float, Field(gt=0, le=60)] = 5.0
    first_token: Annotated[float, Field(gt=0, le=120)] = 8.0
    next_token: Annotated[float, Field(gt=0, le=60)] = 5.0
    first_audio: Annotated[float, Field(gt=0, le=60)] = 5.0
    next_audio: Annotated[float, Field(gt=0, le=60)] = 3.0
    engine_start: Annotated[float, Field(gt=0, le=600)] = 60.0
    call_setup: Annotated[float, Field(gt=0, le=60)] = 10.0
    network_silence: Annotated[float, Field(ge=1, le=600)] = 15.0
    drain: Annotated[float, Field(ge=0, le=3600)] = 10.0


class CallSettings(Group):
    """The course of a call. Empty texts are not spoken; None takes the language's own."""

    greeting: str | None = None
    idle_prompt_s: Annotated[float, Field(ge=0, le=3600)] = 30.0
    idle_prompts: Annotated[int, Field(ge=0, le=20)] = 2
    idle_limit_s: Annotated[float, Field(gt=0)] = 600.0
    max_length_s: Annotated[float, Field(gt=0)] = 3600.0
    history_messages: Annotated[int, Field(ge=2, le=1000)] = 40
    system_prompt: str | None = None


class LimitSettings(Group):
    """Bounds on what a client may send, in bytes unless the name says otherwise."""

    offer: Annotated[int, Field(ge=1024)] = 64 * 1024
    candidates: Annotated[int, Field(ge=1)] = 32
    media_sections: Annotated[int, Field(ge=1)] = 4
    json_body: Annotated[int, Field(ge=1024)] = 256 * 1024
    frame: Annotated[int, Field(ge=1024)] = 64 * 1024
    audio_body: Annotated[int, Field(ge=1024)] = 15_000_000
    upload: Annotated[int, Field(ge=1024)] = 10_000_000
    uploads: Annotated[int, Field(ge=1024)] = 60_000_000  # four of the largest
    upload_audio_s: Annotated[float, Field(gt=0)] = 3600.0
    text_chars: Annotated[int, Field(ge=1)] = 5_000
    dialogue_chars: Annotated[int, Field(ge=1)] = 100_000
    speech_chars: Annotated[int, Field(ge=1)] = 50_000
    waiting_audio_s: Annotated[float, Field(gt=0)] = 10.0
    dictation_s: Annotated[float, Field(ge=5, le=3600)] = 120.0
    transcriptions_at_once: Annotated[int, Field(ge=1)] = 2
    replies_at_once: Annotated[int, Field(ge=1)] = 4
    speeches_at_once: Annotated[int, Field(ge=1)] = 16
    requests_waiting: Annotated[int, Field(ge=0)] = 16


class LoadSettings(Group):
    """From which load of the machine on something is left undone, in percent of its processors
    (their mean over `average_s` seconds) and of its memory. Where more than one packet in a
    hundred leaves later than `full_late_ms`, or than a third of it while the processors are
    busier than `full_cpu_percent`, new calls are refused."""

    read_ahead_cpu_percent: Annotated[float, Field(gt=0, le=100)] = 70.0
    cpu_percent: Annotated[float, Field(gt=0, le=100)] = 80.0
    memory_percent: Annotated[float, Field(gt=0, le=100)] = 85.0
    least_tokens: Annotated[int, Field(ge=1)] = 50
    average_s: Annotated[int, Field(ge=1, le=600)] = 20
    full_cpu_percent: Annotated[float, Field(gt=0, le=100)] = 95.0
    full_late_ms: Annotated[float, Field(gt=0, le=10_000)] = 30.0
