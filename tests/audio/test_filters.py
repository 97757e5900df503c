"""Filters run where they are called, and turn sound into the same as FFmpeg by itself."""

from __future__ import annotations

import json
import subprocess
import sys

import av
import numpy as np
import pytest

from inzwa_rtc.audio.filters import FrameResampler

USES = """
import json, os
import numpy as np
from inzwa_rtc.audio.resample import Resampler
from inzwa_rtc.engines.contracts import SpeechChunk
from inzwa_rtc.engines.tts.stretch import Stretch
from inzwa_rtc.speech.loudness import _Voice

def threads():
    return len(os.listdir("/proc/self/task"))

sound = (np.sin(np.arange(22_050) / 10) * 8_000).astype("<i2").tobytes()
of = {"none": threads()}
held = [Resampler(22_050, 48_000)]
assert held[0].feed(sound)
of["resampler"] = threads()
held.append(Stretch(22_050, 1.25))
held[1].feed(SpeechChunk(sound))
assert held[1].feed(SpeechChunk(sound)).pcm
of["stretch"] = threads()
held.append(_Voice(22_050))
held[2].feed(sound)
assert held[2]._blocks
of["loudness"] = threads()
print(json.dumps(of))
"""


def test_none_of_them_has_a_thread_of_its_own() -> None:
    """Counted in a process of its own: those of others come and go. (With one processor FFmpeg
    starts none by itself either.)"""
    run = subprocess.run([sys.executable, "-c", USES], capture_output=True, text=True, check=True)
    of = json.loads(run.stdout)
    assert len(of) == 4
    assert of == dict.fromkeys(of, of["none"])


def frames(form: str, layout: str, rate: int) -> list[av.AudioFrame]:
    noise = np.random.default_rng(7).normal(0, 0.1, (12, rate // 50, 1 + (layout == "stereo")))
    made = []
    for piece in noise:
        sound = piece if form == "flt" else (piece * 32_767).astype("<i2")
        one = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(sound.astype("<f4" if form == "flt" else "<i2")).reshape(1, -1),
            format=form,
            layout=layout,
        )
        one.sample_rate = rate
        made.append(one)
    return made


@pytest.mark.parametrize("into", ["s16", "flt"])
@pytest.mark.parametrize("form", ["s16", "flt"])
@pytest.mark.parametrize("layout", ["mono", "stereo"])
@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000])
def test_it_makes_what_ffmpeg_makes_by_itself(rate: int, layout: str, form: str, into: str) -> None:
    ours, theirs = FrameResampler(into, 48_000), av.AudioResampler(into, "mono", 48_000)
    sound = [*frames(form, layout, rate), None]
    of_ours = [part.to_ndarray().tobytes() for one in sound for part in ours.resample(one)]
    of_theirs = [part.to_ndarray().tobytes() for one in sound for part in theirs.resample(one)]
    assert of_ours == of_theirs
    assert len(b"".join(of_ours)) > 11 * 960 * (2 if into == "s16" else 4)


@pytest.mark.parametrize("first", [22_050, 48_000])
def test_sound_that_changes_is_refused(first: int) -> None:
    one = FrameResampler("s16", 48_000)
    assert one.resample(None) == []
    one.resample(frames("s16", "mono", first)[0])
    for other in (("s16", "stereo", first), ("flt", "mono", first), ("s16", "mono", 16_000)):
        with pytest.raises(ValueError, match="changed"):
            one.resample(frames(*other)[0])
