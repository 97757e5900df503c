"""The processes that open recordings, seen from the server. See `worker` for their inside."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from inzwa_rtc.errors import PeerError, Unavailable
from inzwa_rtc.recordings.cutting import Stretch
from inzwa_rtc.recordings.worker import RECORD, Job

SILENT_S = 30.0
"""After which a process that tells nothing is taken for stuck: ten seconds of sound take it less
than half a second, and it starts in one."""
RETRY_AFTER_S = 5

_NEEDED = {
    *("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),  # where libraries are
    *("LANG", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT"),
}
_NEEDED_AS = ("PYTHON", "LC_")


class Workers:
    """A process for each of the recordings that are opened at the same time, started when it is
    needed; `idle` of them wait for the next ones (60 MB each). One that was closed in the middle
    of a recording, or broke, does not serve again."""

    def __init__(self, idle: int) -> None:
        self._most_idle = idle
        self._idle: list[Process] = []

    async def cut(self, job: Job, data: bytes) -> AsyncGenerator[Stretch | int, None]:
        """Yield the utterances of a recording as they are found; last, how many samples it has.

        Raises `PeerError` for what cannot be decoded, whatever becomes of the process meanwhile,
        and `Unavailable` where there can be no process. Closing this early ends the process.
        """
        process = await self._taken()
        is_well = False
        feeding = asyncio.create_task(_feed(process, job, data))
        try:
            async with aclosing(_records(process)) as records:
                async for letter, number, told in records:
                    match letter:
                        case b"S":
                            yield Stretch(number, told)
                        case b"X":
                            is_well = feeding.done()
                            raise PeerError(**json.loads(told))
                        case b"E":
                            await feeding
                            is_well = True
                            yield number
                            return
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            if is_well and len(self._idle) < self._most_idle:
                self._idle.append(process)
            else:
                await _end(process)

    async def close(self) -> None:
        """End the processes that wait, and have none wait any more."""
        self._most_idle = 0
        idle, self._idle = self._idle, []
        for process in idle:
            await _end(process)

    async def _taken(self) -> Process:
        while self._idle:
            process = self._idle.pop()
            if process.returncode is None:
                return process
        return await _start()


async def _start() -> Process:
    try:
        return await _created()
    except OSError as error:
        raise Unavailable(
            f"No process for this recording could be started ({type(error).__name__}).",
            action="Try again; the operator can free memory, processes or descriptors.",
            code="busy",
            retry_after_s=RETRY_AFTER_S,
        ) from error


async def _created() -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "inzwa_rtc.recordings.worker"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,  # FFmpeg tells there what it finds in files
        env={**_environment(), "OMP_NUM_THREADS": "1"},
    )


def _environment() -> dict[str, str]:
    """What Python needs. Files may try to take the process over: it knows no key, no password
    and no address of the server's."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.upper() in _NEEDED or name.upper().startswith(_NEEDED_AS)
    }


async def _feed(process: Process, job: Job, data: bytes) -> None:
    assert process.stdin is not None
    with suppress(ConnectionError):  # whoever reads sees that it has ended
        process.stdin.write(job.line())
        process.stdin.write(data)
        await process.stdin.drain()


async def _records(process: Process) -> AsyncGenerator[tuple[bytes, int, bytes], None]:
    assert process.stdout is not None
    try:
        while True:
            async with asyncio.timeout(SILENT_S):
                head = await process.stdout.readexactly(RECORD.size)
                letter, number, size = RECORD.unpack(head)
                told = await process.stdout.readexactly(size)
            yield letter, number, told
    except (asyncio.IncompleteReadError, TimeoutError):
        raise PeerError(
            "Decoding this recording did not come to an end.",
            action="Send it as another format, such as 16-bit WAV.",
            code="bad_audio",
        ) from None


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()
