"""What a tool is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from inzwa_rtc.engines.contracts import ToolSpec
from inzwa_rtc.language import base_language
from inzwa_rtc.tools.gate import Gate

FILLERS: Mapping[str, str] = {"en": "One moment.", "sn": "Ndapota mirai zvishoma."}
"""Said while a tool takes its time, where its own settings have no other line."""

GRACE_S = 0.5
"""How long a tool may take to end once it is cancelled, before it is left to itself."""


class ToolFailed(Exception):
    """The tool could not do it. The message is told to the model, which tells the caller."""


class ToolUnsure(ToolFailed):
    """There was no answer to something that was asked: it may have been done."""


class Tool(Protocol):
    """Something that can be done or found out in the midst of a reply.

    `spec` is what the model is told of it. It is offered when its `gate` opens, has `timeout_s`
    seconds, and `filler` is said while it takes its time.
    """

    @property
    def spec(self) -> ToolSpec:
        """Name, description, and the JSON schema of its arguments."""
        ...

    @property
    def gate(self) -> Gate:
        """When it is offered."""
        ...

    @property
    def filler(self) -> Mapping[str, str]:
        """Lines by language."""
        ...

    @property
    def timeout_s(self) -> float:
        """How long it may take."""
        ...

    @property
    def changes(self) -> bool:
        """Whether it may do more than find something out. What is so, and was interrupted or gave
        no answer, is not asked again at once for the same thing: it may have been done."""
        ...

    async def run(self, arguments: Mapping[str, Any]) -> str:
        """Do it; the result is text for the model. The arguments fit the schema. Raises
        `ToolFailed` and `ToolUnsure`; whatever else it raises, the model is told only that it
        failed."""
        ...


def filler_in(own: Mapping[str, str], language: str) -> str:
    """The line of a tool in a language (BCP 47), the usual one where it has none."""
    base = base_language(language)
    usual = FILLERS.get(base, FILLERS["en"])
    return own.get(language, own.get(base, usual))
