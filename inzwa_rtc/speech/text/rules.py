"""How an operator wants texts to be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from inzwa_rtc.speech.text.lexicon import Lexicon

CodeBlocks = Literal["announce", "skip", "read"]
Emoji = Literal["skip", "name"]


@dataclass(frozen=True, slots=True)
class Rules:
    """`lexicon`: pronunciations of the operator's own. `code_blocks`: announce one ("Code
    block."), pass it over in silence, or read what stands in it. `emoji`: pass them over or say
    their names."""

    lexicon: Lexicon = field(default_factory=Lexicon)
    code_blocks: CodeBlocks = "announce"
    emoji: Emoji = "skip"
