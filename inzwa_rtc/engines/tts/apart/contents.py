"""What tells one model from another: the content of its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from inzwa_rtc.engines.tts.apart.voices import RecordedVoice


def fingerprint(
    files: Iterable[Path], shaping: Mapping[str, object], recorded: Iterable[RecordedVoice] = ()
) -> str:
    """Another string for other content, for other values of what shapes the sound, and for
    other recordings to clone or other words in them."""
    voices = list(recorded)
    told = [dict(shaping), *([voice.voice.id, voice.text] for voice in voices)]
    whole = hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode())
    for file in [*sorted(files), *(voice.file for voice in voices)]:
        with file.open("rb") as content:
            whole.update(hashlib.file_digest(content, "sha256").digest())
    return whole.hexdigest()[:32]
