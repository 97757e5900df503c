"""Tiny Qwen3-TTS models of random weights, in the files that the real library loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from qwen_tts.core.models import Qwen3TTSConfig, Qwen3TTSForConditionalGeneration
from qwen_tts.core.tokenizer_12hz.configuration_qwen3_tts_tokenizer_v2 import (
    Qwen3TTSTokenizerV2Config,
)
from qwen_tts.core.tokenizer_12hz.modeling_qwen3_tts_tokenizer_v2 import Qwen3TTSTokenizerV2Model
from transformers.models.gpt2.tokenization_gpt2 import bytes_to_unicode

SPEAKERS = {"ada": 40, "bob": 41}
LANGUAGES = {"english": 50, "chinese": 51}
_WIDTH, _HEADS, _GROUPS, _CODES = 32, 2, 4, 16
_ENCODER = {
    "enc_dim": _WIDTH, "enc_channels": [16, 16, 16, 16, 48], "enc_attention_channels": 8,
    "enc_res2net_scale": 2, "enc_se_channels": 8,
}  # fmt: skip
_SIGNS = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<tts_pad>", "<tts_bos>", "<tts_eos>"]


def make_qwen3(folder: Path, kind: str = "custom_voice") -> Path:
    """A model of the kind `custom_voice`, `voice_design` or `base`."""
    folder.mkdir()
    torch.manual_seed(0)
    model = _lively(Qwen3TTSForConditionalGeneration(_config(kind)))
    model.save_pretrained(str(folder))
    # As published: of the encoder's configuration the library reads back its own members alone.
    config = json.loads((folder / "config.json").read_text())
    config["speaker_encoder_config"] = _ENCODER
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "generation_config.json").write_text(json.dumps({"do_sample": True}))
    _write_tokenizer(folder)
    _make_codec(folder / "speech_tokenizer")
    return folder


def _config(kind: str) -> Qwen3TTSConfig:
    body: dict[str, Any] = {
        "hidden_size": _WIDTH, "intermediate_size": _WIDTH, "num_hidden_layers": 1,
        "num_attention_heads": _HEADS, "num_key_value_heads": _HEADS, "head_dim": 16,
    }  # fmt: skip
    talker = {
        **body, "num_code_groups": _GROUPS, "vocab_size": 64 + 1024, "text_hidden_size": _WIDTH,
        "text_vocab_size": 256 + len(_SIGNS), "spk_id": SPEAKERS, "codec_language_id": LANGUAGES,
        "spk_is_dialect": dict.fromkeys(SPEAKERS, False),
        "codec_eos_token_id": 64, "codec_think_id": 65, "codec_nothink_id": 66, "codec_bos_id": 67,
        "codec_pad_id": 68, "codec_think_bos_id": 69, "codec_think_eos_id": 70,
        "rope_scaling": {"mrope_section": [2, 3, 3], "rope_type": "default", "interleaved": True},
        "code_predictor_config": {**body, "vocab_size": _CODES, "num_code_groups": _GROUPS},
    }  # fmt: skip
    return Qwen3TTSConfig(
        talker_config=talker, speaker_encoder_config=_ENCODER, tts_model_type=kind,
        tts_model_size="1b7", tokenizer_type="qwen3_tts_tokenizer_12hz",
        im_start_token_id=256, im_end_token_id=257,
        tts_pad_token_id=259, tts_bos_token_id=260, tts_eos_token_id=261,
    )  # fmt: skip


def _write_tokenizer(folder: Path) -> None:
    """One token for each byte, and the signs that the model's prompt is made with."""
    signs = {sign: 256 + number for number, sign in enumerate(_SIGNS)}
    letters = {letter: number for number, letter in enumerate(bytes_to_unicode().values())}
    (folder / "vocab.json").write_text(json.dumps(letters))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    told = {
        "tokenizer_class": "Qwen2Tokenizer", "processor_class": "Qwen3TTSProcessor",
        "pad_token": "<|endoftext|>", "eos_token": "<|im_end|>", "unk_token": "<|endoftext|>",
        "added_tokens_decoder": {
            str(number): {
                "content": sign, "special": True, "lstrip": False, "rstrip": False,
                "single_word": False, "normalized": False,
            }
            for sign, number in signs.items()
        },
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(told))


def _make_codec(folder: Path) -> None:
    decoder = {
        "codebook_size": 1088, "hidden_size": _WIDTH, "latent_dim": _WIDTH, "codebook_dim": _WIDTH,
        "num_attention_heads": _HEADS, "num_key_value_heads": _HEADS, "head_dim": 16,
        "intermediate_size": _WIDTH, "num_hidden_layers": 1, "num_quantizers": _GROUPS,
        "decoder_dim": 64, "num_semantic_quantizers": 1,
    }  # fmt: skip
    encoder = {
        "hidden_size": _WIDTH, "num_filters": 4, "intermediate_size": _WIDTH,
        "num_hidden_layers": 1, "num_attention_heads": _HEADS, "num_key_value_heads": _HEADS,
        "head_dim": 16, "codebook_size": _CODES, "codebook_dim": 8,
        "vector_quantization_hidden_dimension": 8, "num_quantizers": _GROUPS,
        "upsample_groups": _WIDTH,
    }  # fmt: skip
    config = Qwen3TTSTokenizerV2Config(
        encoder_config=encoder, decoder_config=decoder, encoder_valid_num_quantizers=_GROUPS
    )
    _lively(Qwen3TTSTokenizerV2Model(config)).save_pretrained(str(folder))
    extractor = {
        "feature_extractor_type": "EncodecFeatureExtractor", "sampling_rate": 24_000,
        "feature_size": 1, "padding_value": 0.0, "return_attention_mask": True,
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(extractor))


def _lively(model: Any) -> Any:
    """With weights so large that what is put in makes a difference, and sound can be heard."""
    with torch.no_grad():
        for name, weights in (*model.named_parameters(), *model.named_buffers()):
            if name.endswith("embedding_sum") or weights.dim() > 1:
                torch.nn.init.normal_(weights, 0, 0.2)
    return model
