"""Finds addresses that are spelled out for the ear: "tinashe dot moyo at example dot com"."""

from __future__ import annotations

from collections.abc import Sequence

from inzwa_rtc.safety.pieces import NO_JOINT, Joint, Piece, joint

_AT = frozenset(("at", "pa"))
_DOT = frozenset(("dot", "doti"))
_TOPS = """
    ac africa app biz co com dev edu eu gov gw info io me mil mw mz name net ng org online pro
    site uk us za zm zw
"""
# What stands before "at" where a site is named, and no address: "find it at example dot com".
_NO_NAMES = """
    all and are available be buy can check everything find found free have here him her help i
    information is it join live located look looking me more now on one online or order out page
    read register see shop shopping sign site there them this us visit was website work working
    works you
"""
_TOPS_KNOWN, _NEVER_NAMES = frozenset(_TOPS.split()), frozenset(_NO_NAMES.split())


class MoreNeeded(Exception):
    """Whether it is one depends on what has not come yet."""


class Spelled:
    """Looks through pieces, which may be all of a text (`is_whole`) or its beginning."""

    def __init__(self, pieces: Sequence[Piece], is_whole: bool) -> None:
        self._pieces = pieces
        self._is_whole = is_whole
        self._none_before = 0

    def end(self, at: int) -> int:
        """Behind the last piece of the address that begins at `at`, 0 if none does. Raises
        `MoreNeeded`."""
        if at < self._none_before or not _is_name(self._pieces[at]):
            return 0
        last, connective, after = self._names(at)
        if connective != "at":
            self._none_before = last + 1  # nor does any begin at a later name of these
            return 0
        if not self._is_name_at(after):
            return 0
        found, name = 0, after
        while True:
            labels = self._pieces[name].text.lower().split(".")
            if (name > after or len(labels) > 1) and labels[-1] in _TOPS_KNOWN:
                found = name + 1
            connective, name = self._connective(name + 1)
            if connective != "dot" or not self._is_name_at(name):
                break
        is_named = last > at or self._pieces[at].text.lower() not in _NEVER_NAMES
        return found if is_named else 0

    def _names(self, at: int) -> tuple[int, str, int]:
        """Names with dots between: the last one, and what connects them to what follows."""
        while True:
            connective, after = self._connective(at + 1)
            if connective != "dot" or not self._is_name_at(after):
                return at, connective, after
            at = after

    def _is_name_at(self, at: int) -> bool:
        if at < len(self._pieces):
            return _is_name(self._pieces[at])
        if self._is_whole:
            return False
        raise MoreNeeded

    def _connective(self, at: int) -> tuple[str, int]:
        """`at` or `dot`, and what comes behind it; nothing where neither stands."""
        left = len(self._pieces) - at
        if left == 0:
            return self._nothing_yet(at)
        gap = self._joint(at)
        if left == 1:
            return self._nothing_yet(at) if gap.at or gap.words else ("", at)
        if gap.at:
            return "at", at + 1
        word = self._pieces[at + 1].text.lower() if gap.words else ""
        name = "at" if word in _AT else "dot" if word in _DOT else ""
        if not name:
            return "", at
        if left == 2:
            return self._nothing_yet(at)
        return (name, at + 3) if self._joint(at + 2).words else ("", at)

    def _nothing_yet(self, at: int) -> tuple[str, int]:
        if self._is_whole:
            return "", at
        raise MoreNeeded

    def _joint(self, at: int) -> Joint:
        piece = self._pieces[at]
        if piece.kind != "gap":
            return NO_JOINT
        return joint(piece.text, at == len(self._pieces) - 1 and not self._is_whole)


def _is_name(piece: Piece) -> bool:
    is_digits = piece.kind == "digits" and piece.text.isascii() and piece.text.isdigit()
    return piece.kind == "name" or is_digits
