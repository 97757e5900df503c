"""Web and e-mail addresses as they are said on the telephone."""

from __future__ import annotations

import re
from urllib.parse import unquote

MAX_PATH_PARTS = 2  # longer ones are left out: nobody writes them down from hearing
MAX_PART_CHARS = 30

_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,8}[A-Za-z]{2,24}"
EMAIL = re.compile(rf"(?<![\w.+-])(?:mailto:)?(?P<user>[\w.+-]{{1,64}})@(?P<host>{_HOST})(?![\w-])")
URL = re.compile(
    rf"(?<![\w@.-])(?:(?P<scheme>https?|ftp|wss?)://(?P<any>[^\s<>\"'`]{{1,2000}})"
    rf"|(?P<bare>www\.{_HOST}(?:[/?#][^\s<>\"'`]{{0,2000}})?)"
    rf"|(?P<domain>(?:[A-Za-z0-9][A-Za-z0-9-]{{0,62}}\.){{1,8}}"
    rf"(?:com|org|net|edu|gov|info|io|dev|app|ai|co|zw|za|uk|de|fr|eu)(?:/[^\s<>\"'`]{{0,2000}})?)"
    rf"(?![\w-]))"
)
_TRAILING = ".,;:!?)]}>*_…"
_SEPARATORS = re.compile(r"[-_/.,;:=&+~%]+")


def email(match: re.Match[str], at: str, dot: str) -> str:
    """ "info@example.com": "info at example dot com"."""
    user = _signs(match["user"], dot)
    return f"{user} {at} {_dotted(match['host'], dot)}"


def url(match: re.Match[str], dot: str, slash: str) -> tuple[str, int]:
    """How an address is said, and how many characters at its end are not part of it (the full
    stop of the sentence)."""
    whole = match.group()
    address = match["any"] or match["bare"] or match["domain"]
    kept = address.rstrip(_TRAILING)
    behind = len(address) - len(kept)
    host, _, path = kept.partition("/")
    host = re.split(r"[?#]", host)[0].rpartition("@")[2].partition(":")[0]
    parts = [part for part in re.split(r"[?#]", path)[0].split("/") if part]
    said = _dotted(host.removeprefix("www."), dot)
    if parts and len(parts) <= MAX_PATH_PARTS and all(_sayable(part) for part in parts):
        said += "".join(f" {slash} {_path(part, dot)}" for part in parts)
    return (said or dot, min(behind, len(whole) - 1))


def _sayable(part: str) -> bool:
    return len(part) <= MAX_PART_CHARS and sum(sign.isdigit() for sign in part) <= 8


def _path(part: str, dot: str) -> str:
    plain = unquote(part, errors="replace")
    return " ".join(
        _SEPARATORS.sub(lambda sign: f" {dot} " if sign.group() == "." else " ", plain).split()
    )


def _dotted(host: str, dot: str) -> str:
    return f" {dot} ".join(label.replace("-", " ") for label in host.split(".") if label)


def _signs(user: str, dot: str) -> str:
    return " ".join(
        user.replace(".", f" {dot} ")
        .replace("_", " ")
        .replace("+", " plus ")
        .replace("-", " ")
        .split()
    )
