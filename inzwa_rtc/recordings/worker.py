"""The process that opens recordings: `python -m inzwa_rtc.recordings.worker`.

FFmpeg reads what anybody may have sent. Here a crash of it ends one request and nothing else;
there is no file that could be opened, little memory, and calls go first.

Standard input, for each recording: a `Job` as a line of JSON, then the file. Standard output:
records of a letter, a sample's number, and the length of what follows.

| letter | meaning |
|---|---|
| S | an utterance, which begins at this sample; its samples follow |
| T | so much of the recording is done |
| E | the recording is over, after so many samples |
| X | an error; it follows as JSON |
"""

from __future__ import annotations

import io
import json
import os
import struct
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from inzwa_rtc.audio.frame import frame_bytes
from inzwa_rtc.engines.contracts import ASR_SAMPLE_RATE
from inzwa_rtc.errors import PeerError
from inzwa_rtc.recordings.cutting import Cutter
from inzwa_rtc.recordings.decoding import decoded
from inzwa_rtc.recordings.kinds import Kind, raw_kind
from inzwa_rtc.settings import TurnSettings
from inzwa_rtc.turntaking.vad import SileroVad

RECORD = struct.Struct(">cQI")
NICENESS = 10  # engines have 5: they work for callers who wait
TELL_EVERY = 10 * ASR_SAMPLE_RATE

_MEMORY_BYTES = 2 << 30  # of addresses: libraries take most of them


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done: a file of `size` bytes; `rate` in Hz for bare samples."""

    size: int
    kind: Kind
    rate: int | None
    longest_s: float
    turn: TurnSettings

    def line(self) -> bytes:
        """As it is told to the process."""
        told = {
            "size": self.size,
            "kind": asdict(self.kind),
            "rate": self.rate,
            "longest_s": self.longest_s,
            "turn": self.turn.model_dump(),
        }
        return json.dumps(told).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Job:
        """The job of this line."""
        told: dict[str, Any] = json.loads(line)
        kind = told["kind"]
        kind["decoders"] = tuple(kind["decoders"])
        turn = TurnSettings.model_validate(told["turn"])
        return cls(told["size"], Kind(**kind), told["rate"], told["longest_s"], turn)


def main() -> None:
    detector = _warm()
    _confine()
    while line := sys.stdin.buffer.readline():
        job = Job.read(line)
        file = io.BytesIO(sys.stdin.buffer.read(job.size))
        try:
            _work(job, file, detector)
        except PeerError as error:
            told = {
                "message": error.message,
                "action": error.action,
                "code": error.code,
                "status": error.status,
            }
            _tell(b"X", 0, json.dumps(told).encode())
        detector.reset()


def _warm() -> SileroVad:
    """The detector; all that opening a file loads is loaded as well, for later no file can be."""
    silence = bytes(frame_bytes(ASR_SAMPLE_RATE))
    detector = SileroVad()
    Cutter(detector, TurnSettings()).feed(silence)
    for _ in decoded(io.BytesIO(silence), raw_kind(), ASR_SAMPLE_RATE, 1.0):
        pass
    detector.reset()
    return detector


def _work(job: Job, file: io.BytesIO, detector: SileroVad) -> None:
    cutter = Cutter(detector, job.turn)
    told = 0
    for pcm in decoded(file, job.kind, job.rate, job.longest_s):
        for stretch in cutter.feed(pcm):
            _tell(b"S", stretch.start, stretch.pcm)
        if cutter.samples - told >= TELL_EVERY:
            told = cutter.samples
            _tell(b"T", told)
    for stretch in cutter.finish():
        _tell(b"S", stretch.start, stretch.pcm)
    _tell(b"E", cutter.samples)


def _tell(letter: bytes, number: int, data: bytes = b"") -> None:
    sys.stdout.buffer.write(RECORD.pack(letter, number, len(data)) + data)
    sys.stdout.buffer.flush()


def _confine() -> None:
    """No more files, nothing written to one, bounded memory. Not on Windows."""
    with suppress(ImportError):
        import resource

        os.nice(NICENESS)

        for limit, most in (
            (resource.RLIMIT_NOFILE, 3),  # those that are open: input, output, errors
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_AS, _MEMORY_BYTES),
        ):
            resource.setrlimit(limit, (most, most))


if __name__ == "__main__":
    main()
