"""What the reply engine is asked: the instructions, what was said so far, the newest words."""

from __future__ import annotations

from inzwa_rtc.conversation.history import History
from inzwa_rtc.conversation.shedding import Shedding
from inzwa_rtc.conversation.spoken import system_prompt
from inzwa_rtc.conversation.voice import VoiceSettings
from inzwa_rtc.engines.contracts import Message, ReplyRequest
from inzwa_rtc.safety import joined
from inzwa_rtc.settings import Settings


class Dialogue:
    """One call's, in the language that the caller has chosen by now."""

    def __init__(
        self, settings: Settings, voice: VoiceSettings, history: History, shedding: Shedding
    ) -> None:
        self._settings = settings
        self._voice = voice
        self._history = history
        self._shedding = shedding

    @property
    def language(self) -> str:
        """Of the caller (BCP 47)."""
        return self._voice.language

    def unanswered(self, words: str) -> str:
        """All that a reply would answer if the caller now said these words."""
        return joined((self._history.unanswered, words))

    def request(self, chosen: Settings, words: str = "") -> ReplyRequest:
        """To answer what is in the history, followed by `words` of the caller's that are not.
        `chosen` are the settings by which the language model was."""
        return ReplyRequest(
            [*self._instructions(), *self._history.followed_by(words)],
            language=self._voice.language,
            max_tokens=self._shedding.tokens(chosen.llm_max_tokens),
            adapter=chosen.llm_adapter,
        )

    def _instructions(self) -> list[Message]:
        prompt = self._settings.call.system_prompt
        if prompt is None:
            prompt = system_prompt(self._voice.language)
        return [Message("system", prompt)] if prompt else []
