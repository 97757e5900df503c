"""The recipe for MMS voices: what it makes speaks as the original. Needs torch and transformers,
which are not in the server's environment; docs/models.md says which."""

from __future__ import annotations

import json
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

import pytest

from inzwa_rtc.engines.contracts import SpeechRequest
from inzwa_rtc.engines.tts.vits.engine import Vits

pytest.importorskip("torch")
transformers: Any = pytest.importorskip("transformers")

LETTERS = "_ abcdefghijklmnopqrstuvwxyz'-"


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A folder as `models pull mms-sna` leaves it, its model tiny."""
    config = transformers.VitsConfig(
        vocab_size=len(LETTERS),
        hidden_size=32,
        num_hidden_layers=1,
        ffn_dim=32,
        spectrogram_bins=33,
        flow_size=32,
        prior_encoder_num_flows=2,
        prior_encoder_num_wavenet_layers=2,
        upsample_initial_channel=32,
        resblock_kernel_sizes=[3, 5],
        resblock_dilation_sizes=[[1, 3, 5], [1, 3, 5]],
        duration_predictor_num_flows=2,
        duration_predictor_filter_channels=32,
        depth_separable_channels=2,
    )
    folder = tmp_path / "mms-sna"
    transformers.VitsModel(config).save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps({one: n for n, one in enumerate(LETTERS)}))
    tokenizer = {"language": "sna", "phonemize": False, "add_blank": True}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    return folder


async def test_an_exported_voice_streams_and_tells_its_words(
    published: Path, tmp_path: Path
) -> None:
    from models.recipes.export_mms import export

    assert export(published, tmp_path / "voice") < 1e-3
    with closing(Vits(Vits.Options(model=tmp_path / "voice", device="cpu"))) as engine:
        assert engine.abilities == ("word times", "streams")
        assert [voice.language for voice in engine.voices] == ["sn"]
        request = SpeechRequest("mhoroi makadii", language="sn")
        async with aclosing(engine.synthesize(request)) as chunks:
            words = [word async for chunk in chunks for word in chunk.words]
    assert [word.offset for word in words] == [0, 7]


def test_a_folder_that_lacks_a_file_is_refused(published: Path, tmp_path: Path) -> None:
    from models.recipes.export_mms import export

    (published / "vocab.json").unlink()
    with pytest.raises(SystemExit, match=r"vocab\.json"):
        export(published, tmp_path / "voice")
