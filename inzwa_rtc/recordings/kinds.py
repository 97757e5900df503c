"""What kind of sound file it is, by its first bytes: names and media types may say anything.

FFmpeg is told which one it is and tries no other: among those that it knows are playlists, which
name other files and addresses.
"""

from __future__ import annotations

from dataclasses import dataclass

from inzwa_rtc.errors import PeerError

HEAD_BYTES = 12


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: FFmpeg's name of it, and the decoders that it may need."""

    name: str
    demuxer: str
    decoders: tuple[str, ...]
    tells_length: bool = True
    """Whether its header says how long it is; otherwise FFmpeg guesses."""


_PCM = tuple(
    f"pcm_{form}" for form in ("u8", "s16le", "s24le", "s32le", "f32le", "f64le", "alaw", "mulaw")
)
_WAV = Kind("wav", "wav", _PCM, tells_length=False)  # streams tell a size that they do not have
_MP3 = Kind("mp3", "mp3", ("mp3float", "mp3"), tells_length=False)
_AAC = Kind("aac", "aac", ("aac",), tells_length=False)
_OGG = Kind("ogg", "ogg", ("opus", "libopus", "vorbis", "flac"))
_WEBM = Kind("webm", "matroska", ("opus", "libopus", "vorbis"))
_M4A = Kind("m4a", "mov", ("aac", "alac"))
_FLAC = Kind("flac", "flac", ("flac",))

NAMES = "wav, mp3, ogg, webm, m4a, flac, aac"


def raw_kind() -> Kind:
    """Bare samples, int16 LE mono."""
    return Kind("pcm", "s16le", ("pcm_s16le",))


def kind_of(head: bytes) -> Kind:
    """The kind of a file that begins with these bytes. Raises `PeerError` (415)."""
    kind = _found(head)
    if kind is None:
        raise PeerError(
            "This is no sound file of a kind that is known here.",
            action=f"Send one of: {NAMES}.",
            code="unsupported_audio",
            status=415,
        )
    return kind


def _found(head: bytes) -> Kind | None:
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return _WAV
    if head[4:8] == b"ftyp":
        return _M4A
    for mark, kind in ((b"OggS", _OGG), (b"\x1aE\xdf\xa3", _WEBM), (b"fLaC", _FLAC)):
        if head.startswith(mark):
            return kind
    if head.startswith(b"ID3"):
        return _MP3
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        # A frame of MPEG audio; its layer 0 is that of AAC.
        return _MP3 if head[1] & 0x06 else _AAC
    return None
