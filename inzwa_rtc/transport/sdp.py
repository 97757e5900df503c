"""SDP (RFC 8866) cut into its session part and its media sections, and put together again.

Lines stay text: only what decides who takes part in a call is read. Sans-I/O.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# Of ASCII alone, so that a refused section may be told back as it came.
_MEDIA = re.compile(r"m=([!-~]{1,32}) ([0-9]{1,5}) ([!-~]{1,64}) ([!-~]+(?: [!-~]+)*)")
_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class Section:
    """One `m=` line and what belongs to it; `formats` are the payload types of audio."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    lines: tuple[str, ...]

    @property
    def mid(self) -> str | None:
        """Its name within the offer (RFC 5888)."""
        return self.value("mid")

    @property
    def takes_part(self) -> bool:
        """Port 0 is a section that is off, unless its transport is that of another one."""
        return self.port != 0 or "a=bundle-only" in self.lines

    def value(self, name: str) -> str | None:
        """What the first `a=name:` says."""
        return next(iter(self.values(name)), None)

    def values(self, name: str) -> list[str]:
        """What each `a=name:` says."""
        start = f"a={name}:"
        return [line[len(start) :].strip() for line in self.lines if line.startswith(start)]

    def text(self) -> str:
        """As it is written."""
        media = f"m={self.kind} {self.port} {self.protocol} {' '.join(self.formats)}"
        return joined([media, *self.lines])


def split(lines: Iterable[str]) -> tuple[list[str], list[Section]]:
    """The lines of the session, and the sections. Raises `ValueError` for a malformed `m=` line."""
    session: list[str] = []
    blocks: list[list[str]] = []
    for line in lines:
        if line.startswith("m="):
            blocks.append([line])
        else:
            (blocks[-1] if blocks else session).append(line)
    return session, [_section(block) for block in blocks]


def joined(lines: Iterable[str]) -> str:
    """Lines as SDP ends them."""
    return "".join(f"{line}\r\n" for line in lines)


def bundles(session: Iterable[str]) -> list[list[str]]:
    """The names of the sections that share one transport (RFC 9143), group by group."""
    groups = (line.removeprefix("a=group:").split() for line in session if _is_group(line))
    return [group[1:] for group in groups if group and group[0] == "BUNDLE"]


def _is_group(line: str) -> bool:
    return line.startswith("a=group:")


def _section(block: list[str]) -> Section:
    match = _MEDIA.fullmatch(block[0])
    if match is None or int(match[2]) > _MAX_PORT:
        raise ValueError("malformed media section")
    return Section(match[1], int(match[2]), match[3], tuple(match[4].split()), tuple(block[1:]))
