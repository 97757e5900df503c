"""Who may speak: weighs the caller's sounds against what is being said, and queues what
is to be answered.

A sound of the caller's holds the playout at once. It comes to one of these ends, and
every one of them lets go of the playout:

| what it was                                   | what comes of it                        |
|-----------------------------------------------|-----------------------------------------|
| shorter than speech                           | nothing                                 |
| speech with words, or of `interrupt_ms`       | a claim: it is answered, and what was   |
|                                               | being said is cut                       |
| speech without either (a cough, "mm-hm")      | nothing                                 |
| "yeah", while there is more to be said        | nothing                                 |
| speech on which the recogniser failed         | a claim: the caller must be told        |

A typed message and a line of the server's own claim the floor as they come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from inzwa_rtc.conversation.backchannel import is_backchannel
from inzwa_rtc.conversation.prompt import Prompt
from inzwa_rtc.conversation.utterance import Utterance
from inzwa_rtc.engines.contracts import TranscriptChunk
from inzwa_rtc.errors import EngineError
from inzwa_rtc.events import Event, Failure
from inzwa_rtc.playout.playout import Playout

PROMPTS_WAITING = 4  # utterances while a recogniser is stuck until its time limit
# Partial words below it are a guess: PocketSphinx gives 0.06 to those that it finds in any hum.
SURE = 0.5


class Speaker(Protocol):
    """The turn that is being answered."""

    def interrupt(self) -> None:
        """Cut the reply, if there is one yet."""
        ...

    def can_go_on(self) -> bool:
        """Whether there is more to be said, so that a murmured "yeah" is no answer to it."""
        ...


class Floor:
    """Synchronous but for `next_prompt`. Turns are numbered in the order in which they began."""

    def __init__(self, playout: Playout, emit: Callable[[Event], None]) -> None:
        self.speaker: Speaker | None = None
        self._playout = playout
        self._emit = emit
        self._prompts: asyncio.Queue[Prompt] = asyncio.Queue(PROMPTS_WAITING)
        self._weighed: list[Utterance] = []
        self._is_sound = False
        self._newest: Prompt | None = None  # of those that have claimed the floor

    @property
    def is_taken(self) -> bool:
        """Whether anybody speaks, or is about to."""
        return self.speaker is not None or bool(self._weighed) or not self._prompts.empty()

    @property
    def is_answering(self) -> bool:
        """Whether there is anything that a caller could speak into: an answer, or the wait for
        it. What they go on saying has cut whatever there was, once it has claimed the floor."""
        if isinstance(self._newest, Utterance) and not self._newest.has_ended:
            return False
        awaited = any(utterance.has_ended for utterance in self._weighed)
        return self.speaker is not None or awaited or not self._prompts.empty()

    def is_superseded(self, turn: int) -> bool:
        """Whether a newer prompt waits: the words of this turn then join it unanswered."""
        return self._newest is not None and self._newest.turn > turn

    async def next_prompt(self) -> Prompt:
        """The oldest prompt that waits for its answer."""
        return await self._prompts.get()

    def sound(self) -> bool:
        """The caller may be speaking. Tells whether something was silenced for it."""
        was_heard = self._playout.is_heard
        self._is_sound = True
        self._weigh()
        return was_heard

    def no_speech(self) -> None:
        """That sound was none, or it will not be listened to."""
        self._is_sound = False
        self._weigh()

    def weigh(self, utterance: Utterance) -> None:
        """The caller speaks: hold on until it is known what for."""
        self._is_sound = False
        self._weighed.append(utterance)
        self._weigh()

    def partly_understood(self, utterance: Utterance, chunk: TranscriptChunk) -> None:
        """Words of an utterance that goes on."""
        if chunk.confidence >= SURE and chunk.text and not is_backchannel(chunk.text):
            self.sustained(utterance)

    def sustained(self, utterance: Utterance) -> None:
        """The utterance is too much to be a cough or a murmur."""
        if utterance in self._weighed:
            self.claim(utterance)

    def recognised(self, utterance: Utterance, outcome: TranscriptChunk | EngineError) -> None:
        """The utterance is over, and this is what was made of it."""
        if utterance not in self._weighed:
            return
        if isinstance(outcome, EngineError) or self._is_answer(outcome.text):
            self.claim(utterance)
        else:
            self._weighed.remove(utterance)
            self._weigh()

    def claim(self, prompt: Prompt) -> bool:
        """`prompt` is to be answered next, in place of what is being said; with it whatever the
        caller said before it and was still being weighed. False: too much waits already."""
        self.interrupt()
        older = [utterance for utterance in self._weighed if utterance.turn < prompt.turn]
        self._weighed = [utterance for utterance in self._weighed if utterance.turn > prompt.turn]
        is_queued = [self._put(one) for one in (*older, prompt)][-1]
        self._weigh()
        return is_queued

    def interrupt(self) -> None:
        """Cut what is being said; words being recognised are kept."""
        if self.speaker is not None:
            self.speaker.interrupt()

    def _is_answer(self, text: str) -> bool:
        can_go_on = self.speaker is not None and self.speaker.can_go_on()
        return bool(text) and not (can_go_on and is_backchannel(text))

    def _weigh(self) -> None:
        if self._is_sound or self._weighed:
            self._playout.hold()
        else:
            self._playout.release()

    def _put(self, prompt: Prompt) -> bool:
        try:
            self._prompts.put_nowait(prompt)
        except asyncio.QueueFull:
            self._emit(busy(prompt.turn))
            return False
        self._newest = prompt
        return True


def busy(turn: int) -> Failure:
    """What a caller is told who says more than can be answered."""
    return Failure(
        "busy",
        "Too much is waiting to be answered.",
        "Wait for the answer, then say it again.",
        turn,
    )
