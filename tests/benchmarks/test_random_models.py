"""Models of random weights compute what benchmarks say that they do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from benchmarks.random_models import HOTWORD_TOKENS, TOKENS, hotwords
from inzwa_rtc.engines.asr.whisper.cpp import WhisperCpp
from inzwa_rtc.engines.asr.whisper.faster import FasterWhisper
from inzwa_rtc.engines.contracts import Message, RecognizeRequest, ReplyRequest, TranscriptChunk
from inzwa_rtc.engines.llm.llama.engine import Llama
from inzwa_rtc.engines.llm.llama.options import LlamaOptions
from inzwa_rtc.engines.llm.llama.run import Run
from models.tiny import gguf_llama, k_quants, whisper_ct2, whisper_ggml
from models.tiny.whisper_script import Script

SCRIPT = Script(TOKENS, tuple(4 + (tokens + 1 if tokens else 0) for tokens in HOTWORD_TOKENS))
LLAMA = gguf_llama.Size(
    width=256, layers=8, heads=4, inner=512, words=2000, groups=2, head=128, is_tied=True
)


async def final(engine: Any) -> TranscriptChunk:
    async def audio() -> AsyncIterator[bytes]:
        yield np.random.default_rng(1).integers(-3000, 3000, 16_000, np.int16).tobytes()

    chunks: AsyncGenerator[TranscriptChunk, None] = engine.recognize(
        audio(), RecognizeRequest("en")
    )
    async with aclosing(chunks):
        return [chunk async for chunk in chunks][-1]


@pytest.mark.parametrize("tokens", HOTWORD_TOKENS)
async def test_a_whisper_with_a_script_writes_it_and_ends_after_each_prompt(
    tmp_path: Path, tokens: int
) -> None:
    size = whisper_ct2.Size(width=256, layers=2, heads=4, tokens=600)
    model = whisper_ct2.make(tmp_path / "model", size, quantization="int8", script=SCRIPT)
    options = {"model": model, "device": "cpu", "threads": 1, "hotwords": hotwords(tokens)}
    with closing(FasterWhisper(FasterWhisper.Options.model_validate(options))) as engine:
        heard = await final(engine)
    assert heard.text.count("w") == TOKENS
    assert heard.confidence > 0.9


async def test_whisper_cpp_writes_the_script_too(tmp_path: Path) -> None:
    model = whisper_ggml.make(tmp_path / "model.bin", script=SCRIPT)
    options = {"model": model, "device": "cpu", "hotwords": [], "word_times": False, "threads": 1}
    with closing(WhisperCpp(WhisperCpp.Options.model_validate(options))) as engine:
        assert (await final(engine)).text.count("w") == TOKENS


@pytest.mark.parametrize(
    ("quantize", "kind"),
    [
        (k_quants.q4_k, gguf.GGMLQuantizationType.Q4_K),
        (k_quants.q6_k, gguf.GGMLQuantizationType.Q6_K),
    ],
)
def test_random_blocks_have_the_deviation_asked_for(
    quantize: Any, kind: gguf.GGMLQuantizationType
) -> None:
    blocks = quantize((64, 512), 0.02, np.random.default_rng(0))
    weights = gguf.quants.dequantize(blocks, kind)
    assert weights.shape == (64, 512)
    assert weights.std() == pytest.approx(0.02, rel=0.02)
    assert abs(weights.mean()) < 0.001


def test_six_bits_go_where_llama_cpp_puts_them() -> None:
    layers = [layer for layer in range(16) if k_quants.is_six_bits("ffn_down", layer, 16)]
    assert layers == [0, 1, 4, 7, 10, 13, 14, 15]
    assert k_quants.is_six_bits("token_embd", 0, 16)
    assert not k_quants.is_six_bits("attn_q", 0, 16)


async def test_a_llama_in_q4_k_m_takes_each_invented_word_for_one_token(tmp_path: Path) -> None:
    model = gguf_llama.make(tmp_path / "model.gguf", LLAMA, like="Q4_K_M")
    types = {tensor.tensor_type.name for tensor in gguf.GGUFReader(model).tensors}
    assert types == {"Q4_K", "Q6_K", "F32"}
    options = LlamaOptions(
        model=model, backend="xllamacpp", device="cpu", context=512, slots=1, threads=1
    )
    counted = []
    with closing(Llama(options)) as engine:
        for count in (10, 60):
            words = " ".join(f"w{number}" for number in range(1000, 1000 + count))
            counted.append(await prompt_tokens(engine, words))
    assert counted[1] - counted[0] == 50


async def prompt_tokens(engine: Llama, text: str) -> int:
    run: Run = engine._run(ReplyRequest((Message("user", text),)), (Message("user", text),), 0, 2)
    async with aclosing(run.told()) as telling:
        return max([told.prompt_tokens or 0 async for told in telling])
