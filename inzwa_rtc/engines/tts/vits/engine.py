"""The engine `vits`: voices of Coqui and MMS that were exported to ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from inzwa_rtc.engines.tts.vits.coqui import read_coqui
from inzwa_rtc.engines.tts.vits.files import Described, Members, onnx_in, read_json, wrong
from inzwa_rtc.engines.tts.vits.mms import read_mms
from inzwa_rtc.engines.tts.vits.speech import VitsVoice, VoiceOptions
from inzwa_rtc.errors import EngineUnavailable


class VitsOptions(VoiceOptions):
    """Options under `tts:` in the configuration."""

    language: Annotated[str, Field(max_length=35)] | None = None
    """What the voice speaks (BCP 47), where the files of the model do not tell."""


class Vits(VitsVoice):
    """Speaks with a VITS model whose folder has the files of its maker."""

    Options = VitsOptions

    def __init__(self, options: VitsOptions) -> None:
        """Load the model. Raises `EngineUnavailable` when it is broken or not described, or
        when the device asked for is not there."""
        path = onnx_in(options.model)
        super().__init__(options, path, _described(path), options.language or "")


def _described(path: Path) -> Described:
    config = path.with_name("config.json")
    if not config.is_file():
        if path.with_name(f"{path.name}.json").is_file():
            raise EngineUnavailable(
                f"The model {path} is a Piper voice.", action="Set `tts_engine: piper`."
            )
        raise EngineUnavailable(
            f"The model {path} has no config.json beside it.",
            action="Put the file there that came with the voice: of Coqui's its config.json, of "
            "MMS also vocab.json and tokenizer_config.json.",
        )
    told = read_json(config, Members).root
    if told.get("model_type") == "vits":
        return read_mms(path.parent)
    if "characters" in told:
        return read_coqui(path.parent)
    raise wrong(config, "it is neither that of a Coqui voice (`characters`) nor that of an MMS "
                "voice (`model_type: vits`)")  # fmt: skip
