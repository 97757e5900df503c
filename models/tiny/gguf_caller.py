"""A Llama in GGUF that asks for a tool, and says what it is like once it was told.

Its layers add nothing, so that each token follows from the one before it alone. A whole call is
one token, and so is the answer.
"""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

from models.tiny import gguf_llama

CALL = '<tool_call>\n{"name": "weather", "arguments": {"place": "Harare"}}\n</tool_call>'
ANSWER = "It is warm."
# What it is asked to go on from tells which of the two comes next.
TEMPLATE = gguf_llama.TOOLS.replace(
    "<|assistant|>{% endif %}",
    "<|assistant|>{% if messages[-1].role == 'tool' %}={% endif %}{% endif %}",
)
_END, _ASSISTANT, _EQUALS = "</s>", "<|assistant|>", "<0x3D>"
_CERTAIN = 30.0


def make(path: Path, *, context: int = 4096, template: str = TEMPLATE) -> Path:
    """Write the model; returns its path."""
    said = [text.replace(" ", "▁") for text in (CALL, ANSWER)]
    tokens, kinds = gguf_llama.vocabulary(gguf_llama.Size())
    tokens, kinds = [*tokens, *said], [*kinds, 1, 1]
    writer = gguf.GGUFWriter(str(path), "llama")
    size = gguf_llama.Size()
    gguf_llama.describe(writer, size, tokens, kinds, context=context, template=template)
    random = np.random.default_rng(0)
    meaning = random.normal(0, 1, (len(tokens), size.width)).astype(np.float32)
    meaning /= np.linalg.norm(meaning, axis=1, keepdims=True)
    follows = np.zeros_like(meaning)
    call, answer = said
    for before, after in ((_ASSISTANT, call), (_EQUALS, answer), (call, _END), (answer, _END)):
        follows[tokens.index(after)] += _CERTAIN * meaning[tokens.index(before)]
    for name, shape in gguf_llama.tensors(size, len(tokens)):
        if name == "token_embd.weight":
            data = meaning
        elif name == "output.weight":
            data = follows
        else:
            data = np.ones(shape, np.float32) if len(shape) == 1 else np.zeros(shape, np.float32)
        writer.add_tensor(name, data)
    return gguf_llama.close(writer, path)
