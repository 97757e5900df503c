"""A tiny Chatterbox model of random weights, in the files that the real library loads.

The library has its models' measures in its code: `small` lowers them while a test runs.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from chatterbox.models.s3gen import S3Gen, s3gen
from chatterbox.models.t3 import T3, llama_configs
from chatterbox.models.t3.modules import cond_enc
from chatterbox.models.t3.modules.cond_enc import T3Cond
from chatterbox.models.t3.modules.t3_config import T3Config
from chatterbox.models.voice_encoder import VoiceEncoder
from chatterbox.tts import Conditionals
from s3tokenizer.model_v2 import ModelConfig, S3TokenizerV2
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split

WIDTH, HEADS = 64, 16  # its watchers look at heads up to the 16th
LAYERS = 16  # and sit on layers up to the 14th
SPOKEN = 24  # tokens that it says, of 40 ms each; one in so many ends the speech


def small(patch: pytest.MonkeyPatch) -> None:
    """Has the library make small models from now on."""
    measures = {
        "hidden_size": WIDTH, "intermediate_size": WIDTH, "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS, "num_key_value_heads": HEADS, "head_dim": WIDTH // HEADS,
    }  # fmt: skip
    for name, value in measures.items():
        patch.setitem(llama_configs.LLAMA_CONFIGS["Llama_520M"], name, value)
    fewer: list[tuple[Any, str, dict[str, Any]]] = [
        (s3gen, "ConditionalDecoder", {"n_blocks": 1, "num_mid_blocks": 1}),
        (s3gen, "UpsampleConformerEncoder", {"num_blocks": 1}),
        (cond_enc, "Perceiver", {"pre_attention_query_size": WIDTH, "embedding_dim": WIDTH}),
    ]
    for module, name, changed in fewer:
        patch.setattr(module, name, partial(_overruled, getattr(module, name), changed))
    config = ModelConfig(n_audio_state=128, n_audio_head=2, n_audio_layer=1)
    patch.setattr(S3TokenizerV2.__init__, "__defaults__", (config,))


def _overruled(made: Any, measures: dict[str, Any], **given: Any) -> Any:
    return made(**{**given, **measures})


def make_english(folder: Path) -> Path:
    """A model with a voice of its own."""
    folder.mkdir()
    torch.manual_seed(0)
    t3 = _ending(T3())
    _save(VoiceEncoder(), folder / "ve.safetensors")
    _save(t3, folder / "t3_cfg.safetensors")
    _save(S3Gen(), folder / "s3gen.safetensors")
    _tokenizer().save(str(folder / "tokenizer.json"))
    _own_voice().save(folder / "conds.pt")
    return folder


def make_multilingual(folder: Path) -> Path:
    """The same for several languages."""
    folder.mkdir()
    torch.manual_seed(0)
    t3 = _ending(T3(T3Config.multilingual()))
    torch.save(VoiceEncoder().state_dict(), folder / "ve.pt")
    _save(t3, folder / "t3_mtl23ls_v2.safetensors")
    torch.save(S3Gen().state_dict(), folder / "s3gen.pt")
    _tokenizer().save(str(folder / "grapheme_mtl_merged_expanded_v1.json"))
    _own_voice().save(folder / "conds.pt")
    return folder


def _ending(t3: T3) -> T3:
    """Has it say some tokens by chance, and then end; random weights would go on and on.

    All that is fed has a large first value, and the head reads that alone, as if it were a bias.
    """
    stop = t3.hp.stop_speech_token
    with torch.no_grad():
        for embedding in (t3.speech_emb.weight, t3.text_emb.weight):
            embedding[:, 0] = 30.0
        t3.speech_head.weight.zero_()
        t3.speech_head.weight[:, 0] = -10.0
        t3.speech_head.weight[:SPOKEN, 0] = 0.0
        t3.speech_head.weight[stop, 0] = 0.0
    return t3


def _own_voice() -> Conditionals:
    condition = T3Cond(
        speaker_emb=torch.randn(1, 256),
        cond_prompt_speech_tokens=torch.randint(0, 100, (1, 150)),
        emotion_adv=0.5 * torch.ones(1, 1, 1),
    )
    reference = {
        "prompt_token": torch.randint(0, 100, (1, 25)),
        "prompt_token_len": torch.tensor([25]),
        "prompt_feat": torch.randn(1, 50, 80),
        "prompt_feat_len": None,
        "embedding": torch.randn(1, 192),
    }
    return Conditionals(condition, reference)


def _save(model: torch.nn.Module, file: Path) -> None:
    save_file({name: value.clone() for name, value in model.state_dict().items()}, str(file))


def _tokenizer() -> Tokenizer:
    signs = ["[UNK]", "[SPACE]", "[PAD]", "[SEP]", "[CLS]", "[MASK]", "[en]", "[fr]", "[sw]"]
    tokens = {"[STOP]": 0, "[START]": 255}
    letters = [*signs, *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,'!?-"]
    letters += [f"[unused {number}]" for number in range(len(letters) + 1, 255)]  # no holes
    tokens |= {name: number for number, name in enumerate(letters, 1)}
    tokenizer = Tokenizer(WordLevel(tokens, unk_token="[UNK]"))
    tokenizer.add_special_tokens(["[STOP]", "[START]", *signs])
    tokenizer.pre_tokenizer = Split("", "isolated")
    return tokenizer
