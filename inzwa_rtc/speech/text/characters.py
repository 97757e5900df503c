"""Characters that nobody can say: controls, marks of direction, broken pairs, emoji."""

from __future__ import annotations

import re
import unicodedata

from inzwa_rtc.speech.text.rules import Emoji
from inzwa_rtc.speech.text.tracked import Edit, Tracked

# Tab and line ends become spaces, and so does what splits words in no other way.
_CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffc\ufffd"
# Soft hyphen, zero width space and joiners' kin, marks of direction, byte order mark.
_INVISIBLE = r"\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
_PRIVATE = r"\ue000-\uf8ff\U000f0000-\U0010ffff"
_UNSAYABLE = re.compile(rf"[{_CONTROL}]+|[{_INVISIBLE}{_PRIVATE}]+")

# Pictures, not signs such as arrows and maths, which languages have words for.
_PICTURE = (
    "\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u2300-\u23ff\u25a0-\u25ff\u3030\u303d"
    "\u3297\u3299"
)
_EMOJI = re.compile(
    rf"[0-9#*]\ufe0f?\u20e3|[{_PICTURE}\xa9\xae\u2122\u203c\u2049\u2139\u2190-\u21ff]\ufe0f"
    rf"(?:\u200d[{_PICTURE}\u2190-\u21ff][\U0001f3fb-\U0001f3ff]?\ufe0f?)*"
    rf"|[{_PICTURE}](?:[\U0001f3fb-\U0001f3ff\ufe0f\U000e0020-\U000e007f]"
    rf"|\u200d[{_PICTURE}\u2640\u2642])*|[\ufe0e\ufe0f\u20e3\U000e0000-\U000e007f]+"
)
# Full-width and other forms of plain letters and digits, ligatures, superscripts.
_FORMS = re.compile(
    r"[\u00b9\u2070-\u209c\u2460-\u24ea\ufb00-\ufb06\uff01-\uff5e\U0001d400-\U0001d7ff]"
)


def sayable(text: Tracked, emoji: Emoji, language: str) -> Tracked:
    """The text without what cannot be said, emoji named or left out."""
    if text.text.isascii() and text.text.isprintable():
        return text
    text = text.edited(
        Edit(one.start(), one.end(), _said(one.group(), emoji, language))
        for one in _EMOJI.finditer(text.text)
    )
    text = text.edited(
        Edit(one.start(), one.end(), _plain(one.group())) for one in _FORMS.finditer(text.text)
    )
    return text.edited(
        Edit(one.start(), one.end(), " " if re.match(rf"[{_CONTROL}]", one.group()) else "")
        for one in _UNSAYABLE.finditer(text.text)
    )


def _said(picture: str, emoji: Emoji, language: str) -> str:
    if emoji == "skip":
        return " "
    return f" {_name(picture, language)} "


def _name(picture: str, language: str) -> str:
    import emoji as names  # 80 ms and 10 MB, for those alone who want names

    spoken = language if language in names.LANGUAGES else "en"
    # What the library does not know (a chess piece) stays, and is left out with other signs.
    named = names.demojize(picture, delimiters=(" ", " "), language=spoken)
    return named.replace("_", " ").strip()


def _plain(form: str) -> str:
    plain = unicodedata.normalize("NFKC", form)
    # "x²" is not "x2"; circled numbers stand apart.
    if form in "\u00b9²³" or "\u2070" <= form <= "\u209c":
        return form
    return f" {plain} " if "\u2460" <= form <= "\u24ea" else plain
