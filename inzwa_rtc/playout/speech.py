"""One turn's audio: what is written of it, what of it plays, and what of it was heard."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from inzwa_rtc.audio.frame import BYTES_PER_SAMPLE, FRAME_MS, PlayoutFrame, frame_bytes
from inzwa_rtc.engines.contracts import WordTime
from inzwa_rtc.events import (
    Caption,
    PlaybackEnded,
    PlaybackHeld,
    PlaybackReleased,
    PlaybackStarted,
)
from inzwa_rtc.playout.buffer import Buffer
from inzwa_rtc.playout.encoding import Encoding, PacketForm
from inzwa_rtc.playout.ledger import Ledger
from inzwa_rtc.playout.unheard import Unheard

if TYPE_CHECKING:
    from inzwa_rtc.playout.playout import Playout

MADE_AT_ONCE = 8  # frames: encoding them delays what is due elsewhere by 0.3 ms, by 3 with SILK
LEAD_MS = 2000  # hides a slow phrase behind the one before it; 96 kB at 24 kHz
MAX_TRANSIT_MS = 1200  # with half of the longest round trip (2 s), and what is put before it


class Speech:
    """One turn's audio. Made by `Playout.speech`; used by the turn that owns it."""

    def __init__(self, turn: int, playout: Playout) -> None:
        self.turn = turn
        self._playout = playout
        self._rate = playout.rate
        self._on_event = playout.on_event
        self._ledger = Ledger(self._rate)
        self._frame_bytes = frame_bytes(self._rate)
        self._audio = Buffer(self._frame_bytes)
        self._encoding = Encoding(lambda: playout.form)
        self._lead_bytes = self._bytes(LEAD_MS)
        self._pulled = 0
        self._is_begun = False
        self._reported: int | None = None
        self._reported_from = 0  # where the device that reports began to play
        # Samples pulled as of each of the last frames: what left `n` frames ago.
        self._past: deque[int] = deque([0], maxlen=MAX_TRANSIT_MS // FRAME_MS + 1)
        self._is_told_held = False
        self._finished = False
        self._space = asyncio.Event()
        self._space.set()
        self._over = asyncio.Event()
        self._heard_by_cut: str | None = None

    @property
    def rate(self) -> int:
        """Sample rate of the audio to be written, in Hz."""
        return self._rate

    @property
    def takes_packets(self) -> bool:
        """Whether frames may be written as Opus packets alone."""
        return self.form is not None and self.form.takes_kept

    @property
    def form(self) -> PacketForm | None:
        """That of its packets, if it has any."""
        return self._encoding.form

    @property
    def is_playing(self) -> bool:
        """Whether the caller may be hearing it: begun, and neither cut nor played out."""
        return self._pulled > 0 and not self._over.is_set()

    @property
    def is_over(self) -> bool:
        """Whether nothing more of it will be played: played out, or cut."""
        return self._over.is_set()

    @property
    def is_ready(self) -> bool:
        """Whether the next frame is there to be pulled."""
        least = BYTES_PER_SAMPLE if self._finished else self._frame_bytes
        return not self._playout.is_held and len(self._audio) >= least

    def ends_within(self, ms: int) -> bool:
        """Whether all is written, and at most `ms` of it are left to play."""
        return self._finished and len(self._audio) <= self._bytes(ms)

    def begin_phrase(self, text: str, offset: int) -> None:
        """Start a phrase; `offset` is its place in the reply's whole text."""
        if not self._over.is_set():
            self._ledger.begin_phrase(text, offset)

    async def write(self, pcm: bytes, words: tuple[WordTime, ...] = ()) -> None:
        """Append audio (int16 LE mono at `rate`) of the phrase; waits while the lead is full.

        Once the speech is over, the audio is dropped.
        """
        await self._space.wait()
        if self._over.is_set():
            return
        self._ledger.add(0, words)
        size = MADE_AT_ONCE * self._frame_bytes
        for start in range(0, len(pcm), size):
            if start and not await self._goes_on():
                return
            # Together, without a pause between: whoever fails or is cancelled in one leaves
            # a ledger of just the audio that there is.
            piece = pcm[start : start + size]
            self._ledger.add(len(piece) // BYTES_PER_SAMPLE)
            self._audio.add_frames([self._encoding.frame(one) for one in self._audio.cut(piece)])
        self._mind_the_lead()

    async def write_frames(
        self, frames: Sequence[PlayoutFrame], words: tuple[WordTime, ...] = ()
    ) -> None:
        """Append frames of the phrase that may be encoded already; waits as `write` does.

        The sound before them is filled up to a whole frame, so up to 20 ms of silence come in
        between: they are meant for phrases that consist of frames alone. Frames without PCM
        are for a speech that `takes_packets`. Raises `ValueError` where a frame is of another
        rate, or empty.
        """
        for frame in frames:
            if len(frame.pcm) != self._frame_bytes and not (
                self.takes_packets and frame.packet and not frame.pcm
            ):
                raise ValueError(f"a frame is {self._frame_bytes} bytes, or a packet if taken")
        await self._space.wait()
        if self._over.is_set() or not frames:
            return
        self._ledger.add_silence(self._pad() // BYTES_PER_SAMPLE)
        self._ledger.add(0, words)
        size = len(frames) if all(frame.packet for frame in frames) else MADE_AT_ONCE
        for start in range(0, len(frames), size):
            if start and not await self._goes_on():
                return
            some = frames[start : start + size]
            self._ledger.add(self._samples(some))
            self._audio.add_frames(
                [frame if frame.packet else self._encoding.frame(frame.pcm) for frame in some]
            )
        if any(frame.packet for frame in frames):
            self._encoding.passed_by()
        self._mind_the_lead()

    def end_phrase(self) -> None:
        """All audio of the phrase is written."""
        if not self._over.is_set():
            self._ledger.end_phrase()

    def abandon_phrase(self) -> None:
        """The rest of the phrase that was begun, if one was, will not be spoken."""
        if not self._over.is_set():
            self._ledger.abandon_phrase()

    def finish(self) -> None:
        """No more phrases follow."""
        self._finished = True
        self._settle()

    def cut(self) -> None:
        """Never play another sample of it, and settle what was heard."""
        if self._over.is_set():
            return
        self._heard_by_cut = self.heard()
        self._audio.clear()
        self._space.set()
        self._over.set()

    async def played_out(self) -> None:
        """Return once all written audio was pulled after `finish`, or after a cut."""
        await self._over.wait()

    def report_played(self, samples: int) -> None:
        """The caller's device says how much of this turn's audio it has played."""
        played = self._reported_from + samples
        self._reported = min(max(played, self._reported or 0), self._pulled)

    def heard(self) -> str:
        """The text whose audio the caller has heard.

        Counted by the caller's device where it reports, else by what left one
        transit time ago. Once played out, that is all of it.
        """
        if self._heard_by_cut is not None:
            return self._heard_by_cut
        if self._over.is_set():
            return self._ledger.text.rstrip()
        if self._reported is not None:
            return self._ledger.heard(self._reported)
        back = min(self._playout.transit_ms // FRAME_MS, len(self._past) - 1)
        return self._ledger.heard(self._past[-1 - back])

    def tell_held(self) -> None:
        """The playout was held or released: tell the caller if that stopped or resumed it."""
        is_held = self._playout.is_held
        if self.is_playing and is_held != self._is_told_held:
            self._is_told_held = is_held
            event = PlaybackHeld if is_held else PlaybackReleased
            self._on_event(event(self.turn))

    def give_back(self, frames: Sequence[PlayoutFrame]) -> None:
        """These, the last that were pulled, have reached nobody, unless the caller's device has
        said that it played them: they are played again."""
        if self._over.is_set():
            return
        frames = self._not_reported(frames)
        self._pulled -= self._samples(frames)
        self._audio.put_back(frames)
        self._ledger.go_back(self._pulled)
        self._past.clear()
        self._past.append(self._pulled)
        self._reported, self._reported_from = None, self._pulled  # by another device, perhaps
        self._is_begun = False
        if self._is_told_held:
            self._is_told_held = False  # to the next device it is silent all the same
            self._on_event(PlaybackReleased(self.turn))

    def not_heard(self, frames: Sequence[PlayoutFrame]) -> Unheard | None:
        """What is true of a speech that was played out, if these, the last that were pulled,
        have reached nobody; None where it makes no difference."""
        if self._heard_by_cut is not None or not self._over.is_set():
            return None
        said = self.heard()
        heard = self._ledger.heard(self._pulled - self._samples(self._not_reported(frames)))
        return None if heard == said else Unheard(self.turn, heard, said)

    def pull(self) -> PlayoutFrame | None:
        """The next frame; None while there is none to play (yet)."""
        if self._over.is_set():
            return None
        self._settle()  # here, not behind the last frame: that one must leave first
        frame = self._take()
        self._past.append(self._pulled)
        return frame

    def _take(self) -> PlayoutFrame | None:
        if self._playout.is_held:
            return None
        if self._finished:
            self._pad()  # else more is coming: half a frame now would click
        frame = self._audio.take()
        if frame is None:
            return None
        if not self._is_begun:
            self._is_begun = True
            self._on_event(PlaybackStarted(self.turn))
        self._pulled += self._frame_bytes // BYTES_PER_SAMPLE
        for cue in self._ledger.cues_before(self._pulled):
            start_ms = cue.sample * 1000 // self._rate
            self._on_event(Caption(self.turn, cue.text, cue.offset, start_ms, cue.is_estimated))
        if len(self._audio) < self._lead_bytes:
            self._space.set()
        return frame

    def _pad(self) -> int:
        """Fill the frame that was begun, if one was, with silence; return the bytes added."""
        missing = self._audio.missing
        self._audio.add_frames(
            [self._encoding.frame(frame) for frame in self._audio.cut(bytes(missing))]
        )
        return missing

    async def _goes_on(self) -> bool:
        """Let others run; whether there is still something to write for."""
        await asyncio.sleep(0)
        return not self._over.is_set()

    def _mind_the_lead(self) -> None:
        if len(self._audio) >= self._lead_bytes:
            self._space.clear()

    def _settle(self) -> None:
        """Notice that all was played. Not while held: the caller's device has stopped with
        some of it unheard, and whether that will be heard is not decided."""
        if self._is_told_held or not self._finished or self._audio or self._over.is_set():
            return
        self._over.set()
        if self._pulled:
            self._on_event(PlaybackEnded(self.turn))

    def _not_reported(self, frames: Sequence[PlayoutFrame]) -> Sequence[PlayoutFrame]:
        unreported = self._pulled - (self._reported or 0)
        most = -(-unreported * BYTES_PER_SAMPLE // self._frame_bytes)
        return frames[max(0, len(frames) - most) :]

    def _samples(self, frames: Sequence[PlayoutFrame]) -> int:
        return len(frames) * self._frame_bytes // BYTES_PER_SAMPLE

    def _bytes(self, ms: int) -> int:
        return self._rate * ms // 1000 * BYTES_PER_SAMPLE
