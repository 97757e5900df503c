"""Makes a Whisper model of random weights write so many words, then end, whatever it hears.

A decoder adds an encoding of the position to each token. Where that outweighs all that the
random layers add to it, it alone chooses the next token: it is made to point at one. So a
benchmark decodes as many tokens with a model of random weights as it says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TEXT_CONTEXT = 448  # the decoder's positions
FIRST_WORD = 300  # after the tokens of single bytes: each of these is a word of its own

_LOUD = 10_000.0  # against some hundreds that the layers of `small` add


@dataclass(frozen=True, slots=True)
class Script:
    """`words` are written after a prompt of any of these lengths, in tokens; then the end."""

    words: int
    prompts: tuple[int, ...] = (4,)

    def positions(self, embedding: NDArray[np.float32], end: int) -> NDArray[np.float32]:
        """The position encodings `[TEXT_CONTEXT, width]` for a model with this token embedding
        `[tokens, width]`, whose token `end` ends the text."""
        said = np.full(TEXT_CONTEXT, end)
        for prompt in self.prompts:
            first = prompt - 1  # the prompt's last token is answered with the first word
            said[first : first + self.words] = FIRST_WORD + np.arange(self.words)
        pointing = embedding[said]
        lengths = np.linalg.norm(pointing, axis=1, keepdims=True)
        positions: NDArray[np.float32] = (_LOUD * pointing / lengths).astype(np.float32)
        return positions
