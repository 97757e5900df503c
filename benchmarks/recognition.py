"""How well the shipped recogniser understands its own phrases, and refuses all others.

Synthetic voices speak phrases of the guide and sentences that are not in it, at
several speeds and in several noises, with 100 to 800 ms of quiet before them, and
every other one through Opus as in a call. Run it after changing the script or the
threshold:

    python benchmarks/recognition.py [--sentences 12] [--threshold 0.5]
    python benchmarks/recognition.py --phrases    # which ones are always right, without noise

eSpeak's voices are made by rule and all alike; those of Flite, which take part where
its program is installed (Debian's `flite`), are made from recordings of people and
nearer to them. Treat the figures as a comparison between settings, not as a forecast.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import shutil
import subprocess
import sys
import tempfile
import time
import wave
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from inzwa_rtc.audio.opus import OpusDecoder, OpusEncoder
from inzwa_rtc.engines.asr.pocketsphinx.confidence import other_words
from inzwa_rtc.engines.asr.pocketsphinx.engine import PocketSphinx, PocketSphinxOptions
from inzwa_rtc.engines.contracts import (
    ASR_SAMPLE_RATE,
    RecognizeRequest,
    SpeechRequest,
    TranscriptChunk,
)
from inzwa_rtc.engines.tts.espeak.engine import ESpeak, ESpeakOptions

VOICES = ("en-gb", "en-us", "en-gb+f3", "en-us+f2", "en-gb+michael", "en-gb-x-rp")
FLITE = ("flite/slt", "flite/rms", "flite/awb", "flite/kal16")
CLEAR = ("en-gb", "en-us")
SPEEDS = (0.8, 0.9, 1.0, 1.1, 1.2)
NOISES = (None, 20, 10)
PIECE_BYTES = 2 * ASR_SAMPLE_RATE * 20 // 1000
BITRATE = 24_000
QUIET_MS = (100, 200, 300, 400, 500, 600, 700, 800)
QUIET_AFTER_MS = 500  # the server's turn.silence_ms
PEOPLE = Path("/usr/share/sounds/alsa")  # Debian's alsa-utils: "front center" and so on

KNOWN = (
    "what time is it", "what is the date today", "what day is it", "tell me a story",
    "tell me a joke", "what is seven times eight", "what is twelve plus thirty four",
    "what is one hundred minus forty five", "what is twenty divided by five", "count to ten",
    "count to twenty", "count from five to fifteen", "who are you", "are you human",
    "what does inzwa mean", "what can you do", "how do i get a real model", "how are you",
    "good morning", "hello", "goodbye", "thank you very much", "say that again",
    "can you hear me", "mangwanani", "makadii", "ndatenda", "tell me another story",
    "what can i say", "do you speak shona", "i need help", "that is all thank you",
    "what is your name", "another one", "are you recording this", "what is fifteen plus nine",
)  # fmt: skip
UNKNOWN = (
    "the quick brown fox jumps over the lazy dog", "please book me a flight to london on friday",
    "my grandmother bought oranges at the market", "the government should lower taxes",
    "where did you put the car keys", "the football match was cancelled because of rain",
    "could you order a large pizza with mushrooms", "yesterday we walked along the river",
    "she sells sea shells by the sea shore", "turn on the kitchen lights",
    "play the next episode", "what is the capital of france", "how tall is mount everest",
    "my stomach hurts and i feel sick", "front center", "rear left", "side right", "banana",
    "elephant", "absolutely", "computer says no", "i would like to buy a house",
    "when does the train leave", "he never told his brother about the money",
    "remind me to call the dentist tomorrow", "the children are playing in the garden",
    "set an alarm for half past six", "who won the world cup in brazil",
    "this meeting could have been an email", "open the door and close the window",
)  # fmt: skip


@dataclass
class Score:
    """Counts of one row of the table."""

    words: int = 0
    wrong_words: int = 0
    phrases: int = 0
    exact: int = 0
    accepted_wrong: int = 0
    strangers: int = 0
    refused: int = 0
    waits: list[float] = field(default_factory=list)

    def row(self, name: str) -> str:
        """One line: what the columns of `HEAD` say."""
        return (
            f"{name:<44}{share(self.words - self.wrong_words, self.words):>8}"
            f"{share(self.exact, self.phrases):>8}{share(self.accepted_wrong, self.phrases):>8}"
            f"{share(self.refused, self.strangers):>9}"
            f"{1000 * float(np.median(self.waits or [0])):>9.0f}"
            f"{1000 * float(np.percentile(self.waits or [0], 95)):>8.0f}"
        )


HEAD = f"{'':<44}{'words':>8}{'exact':>8}{'wrong':>8}{'refused':>9}{'end ms':>9}{'p95':>8}"


def at_16k(pcm: bytes, rate: int) -> NDArray[np.int16]:
    """Resample mono int16 audio to the recogniser's rate."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=ASR_SAMPLE_RATE)
    frame = av.AudioFrame.from_ndarray(
        np.frombuffer(pcm, np.int16)[None], format="s16", layout="mono"
    )
    frame.sample_rate = rate
    parts = [part for given in (frame, None) for part in resampler.resample(given)]
    return np.concatenate([part.to_ndarray()[0] for part in parts])


def in_noise(speech: NDArray[np.int16], snr_db: int | None, quiet_ms: int, seed: int) -> bytes:
    """Half as loud, quiet on both sides, white noise over all of it."""
    chance = np.random.default_rng(seed)
    sides = (quiet_ms * ASR_SAMPLE_RATE // 1000, QUIET_AFTER_MS * ASR_SAMPLE_RATE // 1000)
    voice = np.pad(speech * 0.5, sides)
    power = float(np.mean((speech * 0.5) ** 2))
    level = 3.0 if snr_db is None else float(np.sqrt(power / 10 ** (snr_db / 10)))
    noisy = voice + chance.standard_normal(len(voice)) * level
    return np.clip(noisy, -32768, 32767).astype("<i2").tobytes()


def through_opus(audio: bytes) -> bytes:
    """The audio as it arrives from a call."""
    encoder = OpusEncoder(ASR_SAMPLE_RATE, BITRATE, mode="voice")  # as browsers do
    decoder = OpusDecoder(ASR_SAMPLE_RATE)
    whole = len(audio) // PIECE_BYTES * PIECE_BYTES
    frames = (audio[start : start + PIECE_BYTES] for start in range(0, whole, PIECE_BYTES))
    return b"".join(decoder.decode(encoder.encode(frame)) for frame in frames)


async def spoken(tts: ESpeak, text: str, voice: str, speed: float) -> NDArray[np.int16]:
    """The text as a synthetic voice says it, at the recogniser's rate."""
    if voice in FLITE:
        return await asyncio.to_thread(_by_flite, text, voice, speed)
    request = SpeechRequest(text, voice, speed=speed)
    pcm = b"".join([chunk.pcm async for chunk in tts.synthesize(request)])
    return at_16k(pcm, tts.sample_rate)


def _by_flite(text: str, voice: str, speed: float) -> NDArray[np.int16]:
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        stretch = f"duration_stretch={1 / speed:.3f}"
        name = voice.partition("/")[2]
        command = ["flite", "-voice", name, "--setf", stretch, "-t", text, "-o", file.name]
        subprocess.run(command, check=True)
        with wave.open(file.name) as recording:
            pcm = recording.readframes(recording.getnframes())
            return at_16k(pcm, recording.getframerate())


async def heard(asr: PocketSphinx, audio: bytes) -> tuple[TranscriptChunk, float]:
    """The final transcript, and how long after the end of the audio it came."""
    ended = 0.0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal ended
        for start in range(0, len(audio), PIECE_BYTES):
            yield audio[start : start + PIECE_BYTES]
        ended = time.perf_counter()

    chunks = [chunk async for chunk in asr.recognize(pieces(), RecognizeRequest("en"))]
    return chunks[-1], time.perf_counter() - ended


def people() -> list[tuple[str, bytes]]:
    """Recordings of a person saying what the guide does not know."""
    found = []
    for file in sorted(PEOPLE.glob("*_*.wav")):
        with wave.open(str(file)) as recording:
            pcm = recording.readframes(recording.getnframes())
            found.append((file.stem, in_noise(at_16k(pcm, recording.getframerate()), None, 300, 0)))
    return found


async def measure(asr: PocketSphinx, sentences: int) -> dict[str, Score]:
    """Speak, listen and count."""
    tts = ESpeak(ESpeakOptions())
    table: dict[str, Score] = defaultdict(Score)
    chance = random.Random(7)
    voices = (*VOICES, *FLITE) if shutil.which("flite") else VOICES
    for seed, (voice, snr, _) in enumerate(
        itertools.product(voices, NOISES, range(max(1, sentences)))
    ):
        speed, quiet_ms = chance.choice(SPEEDS), chance.choice(QUIET_MS)
        rows = ("all", voice, f"speed {speed}", f"noise {snr or 'none'}", f"quiet {quiet_ms}")
        known, unknown = chance.choice(KNOWN), chance.choice(UNKNOWN)
        for text in (known, unknown):
            audio = in_noise(await spoken(tts, text, voice, speed), snr, quiet_ms, seed)
            final, wait = await heard(asr, through_opus(audio) if seed % 2 else audio)
            for row in rows:
                count(table[row], known if text is known else None, final.text, wait)
    tts.close()
    for _, audio in people():
        final, wait = await heard(asr, audio)
        count(table["people, unknown"], None, final.text, wait)
    return table


async def measure_phrases(asr: PocketSphinx) -> dict[str, Score]:
    """How often each phrase is right in the clear voices, through Opus, without noise."""
    tts = ESpeak(ESpeakOptions())
    table: dict[str, Score] = defaultdict(Score)
    for text, voice, speed in itertools.product(KNOWN, CLEAR, (0.9, 1.0, 1.1)):
        speech = await spoken(tts, text, voice, speed)
        for quiet_ms in QUIET_MS[1::3]:
            audio = through_opus(in_noise(speech, None, quiet_ms, quiet_ms))
            final, wait = await heard(asr, audio)
            count(table[text], text, final.text, wait)
            count(table[f"all, {voice}"], text, final.text, wait)
    tts.close()
    return table


def count(score: Score, said: str | None, got: str, wait: float) -> None:
    """Count one answer; `said` is the phrase of the guide, None for anything else."""
    score.waits.append(wait)
    if said is None:
        score.strangers += 1
        score.refused += not got
        return
    score.phrases += 1
    score.exact += said == got
    score.accepted_wrong += bool(got) and said != got
    score.words += len(said.split())
    score.wrong_words += min(other_words(said, got), len(said.split()))


def share(part: int, whole: int) -> str:
    """As it is printed."""
    return f"{part / whole:.0%}" if whole else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", type=int, default=4, help="pairs per voice and noise")
    parser.add_argument("--threshold", type=float, help="instead of the engine's default")
    parser.add_argument("--phrases", action="store_true", help="each phrase in clear voices")
    arguments = parser.parse_args()
    given = {} if arguments.threshold is None else {"threshold": arguments.threshold}
    asr = PocketSphinx(PocketSphinxOptions(**given))
    work = measure_phrases(asr) if arguments.phrases else measure(asr, arguments.sentences)
    table = asyncio.run(work)
    asr.close()
    lines = [HEAD, *(score.row(name) for name, score in sorted(table.items()))]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
