"""Tiny Coqui models of random weights, in the files that the real library loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split
from TTS.tts.configs.shared_configs import CharactersConfig
from TTS.tts.configs.vits_config import VitsConfig
from TTS.tts.configs.xtts_config import XttsConfig
from TTS.tts.models.vits import Vits
from TTS.tts.models.xtts import Xtts

SPEAKERS = ["ada", "bob"]
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def make_vits(folder: Path, *, width: int = 16, **arguments: Any) -> Path:
    """A model with two speakers, which reads letters."""
    folder.mkdir()
    torch.manual_seed(0)
    config = VitsConfig()
    config.use_phonemes = False
    config.text_cleaner = "basic_cleaners"
    config.characters = CharactersConfig(
        characters_class="TTS.tts.models.vits.VitsCharacters",
        characters=_LETTERS, punctuations="!'(),-.:;? ", pad="_", phonemes="",
    )  # fmt: skip
    for name, value in {
        "hidden_channels": width, "hidden_channels_ffn_text_encoder": 2 * width,
        "num_layers_text_encoder": 1, "num_layers_posterior_encoder": 1, "num_layers_flow": 1,
        "upsample_initial_channel_decoder": 2 * width, "speaker_embedding_channels": 8,
        "use_speaker_embedding": True, "use_sdp": False, "length_scale": 4.0, **arguments,
    }.items():  # fmt: skip
        setattr(config.model_args, name, value)
    config.speakers = SPEAKERS
    model = Vits(config)
    # As it is trained: with what a synthesis has no use for.
    torch.save({"model": model.state_dict(), "step": 1}, folder / "model_file.pth")
    (folder / "config.json").write_text(json.dumps(config.to_dict()))
    return folder


def make_xtts(folder: Path, *, width: int = 64, layers: int = 1) -> Path:
    """A model that goes on for about half a second, with one voice of its own."""
    folder.mkdir()
    torch.manual_seed(0)
    config = XttsConfig()
    config.languages = ["en", "es", "zh-cn"]
    vocabulary = _vocabulary()
    tokens = vocabulary.get_vocab()
    for name, value in {
        "gpt_layers": layers, "gpt_n_model_channels": width, "gpt_n_heads": 2,
        "decoder_input_dim": width, "gpt_use_perceiver_resampler": True,
        "gpt_number_text_tokens": len(tokens), "gpt_start_text_token": tokens["[START]"],
        "gpt_stop_text_token": tokens["[STOP]"], "gpt_num_audio_tokens": 24,
        "gpt_start_audio_token": 22, "gpt_stop_audio_token": 23, "gpt_max_audio_tokens": 14,
    }.items():  # fmt: skip
        setattr(config.model_args, name, value)
    model = Xtts(config)
    with torch.no_grad():  # random tokens, but for the one that would end it at once
        model.gpt.mel_head.bias[23] = -2.0
    vocabulary.save(str(folder / "vocab.json"))
    torch.save({"model": model.state_dict()}, folder / "model.pth")
    own = {
        "Own Voice": {
            "gpt_cond_latent": torch.randn(1, 32, width),
            "speaker_embedding": torch.randn(1, 512, 1),
        }
    }
    torch.save(own, folder / "speakers_xtts.pth")
    (folder / "config.json").write_text(json.dumps(config.to_dict()))
    return folder


def _vocabulary() -> Tokenizer:
    signs = ["[STOP]", "[UNK]", "[SPACE]", "[en]", "[es]", "[zh-cn]", "[START]"]
    tokens = {name: number for number, name in enumerate([*signs, *"abcdefghijklmnopqrstuvwxyz.,"])}
    tokenizer = Tokenizer(WordLevel(tokens, unk_token="[UNK]"))
    tokenizer.add_special_tokens(signs)
    tokenizer.pre_tokenizer = Split("", "isolated")
    return tokenizer
