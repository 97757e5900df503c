"""The engine `piper`: Piper's voices, `voice.onnx` and `voice.onnx.json`.

What Piper's own library does with a voice is done here by the runner of all VITS models, which
lets the sound leave while it is made; of that library only the phonemizer is used.
"""

from __future__ import annotations

from inzwa_rtc.engines.tts.vits.files import onnx_in
from inzwa_rtc.engines.tts.vits.piper_json import read_piper
from inzwa_rtc.engines.tts.vits.speech import VitsVoice, VoiceOptions


class PiperOptions(VoiceOptions):
    """Options under `tts:` in the configuration."""


class Piper(VitsVoice):
    """Speaks with a Piper voice."""

    Options = PiperOptions

    def __init__(self, options: PiperOptions) -> None:
        """Load the voice. Raises `EngineUnavailable` when it is broken or its JSON does not fit,
        or when the device asked for is not there."""
        path = onnx_in(options.model)
        super().__init__(options, path, read_piper(path))
