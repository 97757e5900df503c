"""Recordings that tests clone voices from: WAV files of every kind, good and bad."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DESCRIPTION = """
name = "Tariro"
language = "{language}"
gender = "female"
licence = "CC0-1.0"
consent = "made by a test"
text = "what is said there"
"""


def voiced(seconds: float, rate: int = 24_000) -> NDArray[np.float64]:
    """Something like a vowel that rises and falls, half of full scale."""
    t = np.arange(int(seconds * rate)) / rate
    pitch = 2 * np.pi * np.cumsum(140 + 30 * np.sin(2 * np.pi * 0.7 * t)) / rate
    tone = sum(np.sin(number * pitch) / number for number in range(1, 12))
    loudness = 0.5 + 0.5 * np.sin(2 * np.pi * 2.5 * t) ** 2
    sound: NDArray[np.float64] = 0.5 * tone * loudness / np.abs(tone).max()
    return sound


def write_wav(
    file: Path, sound: NDArray[np.float64], rate: int = 24_000, channels: int = 1
) -> Path:
    """16-bit PCM, the same in all channels."""
    pcm = (np.clip(sound, -1, 1) * 32767).astype("<i2")
    with wave.open(str(file), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(np.repeat(pcm, channels).tobytes())
    return file


def add_voice(folder: Path, name: str, seconds: float = 1.5, language: str = "en") -> Path:
    """A voice to clone, described."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(DESCRIPTION.format(language=language))
    return write_wav(folder / f"{name}.wav", voiced(seconds))
