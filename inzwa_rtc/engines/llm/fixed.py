"""A language model that gives the same reply to everything, at once: for load tests.

See `engines/asr/fixed.py`.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from inzwa_rtc.engines.contracts import Ability, ReplyRequest, TokenChunk

_TOKEN = re.compile(r"\s*\S+")
_REPLY = (
    "The river listens to the wind. The wind answers in the reeds. "
    "In the evening both of them rest."
)


class FixedReplyOptions(BaseModel):
    """Options under `llm:` in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reply: Annotated[str, Field(pattern=r"\S")] = _REPLY
    """The reply; three sentences, so that `tone` speaks for three seconds."""


class FixedReply:
    """Says its reply word by word, without a pause between the words."""

    Options = FixedReplyOptions
    abilities: tuple[Ability, ...] = ()

    def __init__(self, options: FixedReplyOptions) -> None:
        self.details = {"model": "the same reply each time"}
        self._tokens = _TOKEN.findall(options.reply)

    def close(self) -> None:
        """Nothing is held."""

    async def reply(self, request: ReplyRequest) -> AsyncGenerator[TokenChunk, None]:
        """Yield the reply, as much of it as the request has room for."""
        tokens = self._tokens[: request.max_tokens]
        for number, token in enumerate(tokens, start=1):
            yield TokenChunk(token, is_final=number == len(tokens))
