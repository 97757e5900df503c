"""The text of a reply out of a model's tokens: no thoughts, and no half of a character. No I/O."""

from __future__ import annotations

from inzwa_rtc.engines.llm.dialogue import well_formed

THINKS = "<think>"
_ENDS = "</think>"


class ReplyText:
    """Feed it one reply's tokens; it gives what may be spoken.

    What stands between `<think>` and `</think>` before the first words of the reply is left
    out: models of the Qwen and DeepSeek kinds reason there. Halves of a character that came in
    two tokens are joined; a half that stays alone becomes U+FFFD.
    """

    def __init__(self) -> None:
        self._held = ""
        self._is_thinking = False
        self._has_thought = False
        self._has_begun = False

    def feed(self, token: str) -> str:
        """What can be spoken now, which may be nothing."""
        text = self._held + token
        self._held = ""
        if not self._has_begun:
            text = self._without_thoughts(text)
        if text and "\ud800" <= text[-1] <= "\udbff":  # the first half of a pair
            text, self._held = text[:-1], text[-1]
        return well_formed(text)

    def end(self) -> str:
        """What was held back in case more came."""
        held, self._held = self._held, ""
        return "" if self._is_thinking else well_formed(held)

    def _without_thoughts(self, text: str) -> str:
        if self._is_thinking:
            _, mark, rest = text.partition(_ENDS)
            if not mark:
                self._held = text[-len(_ENDS) :]
                return ""
            self._is_thinking = False
            return self._without_thoughts(rest)
        begun = text.lstrip()
        if begun.startswith(THINKS):
            self._is_thinking = self._has_thought = True
            return self._without_thoughts(begun.removeprefix(THINKS))
        if THINKS.startswith(begun):  # or nothing but white space yet
            self._held = text
            return ""
        self._has_begun = True
        return begun if self._has_thought else text
