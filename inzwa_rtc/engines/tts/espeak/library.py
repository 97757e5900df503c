"""eSpeak NG's C library through ctypes: one clause of text in, audio and word marks out.

The library keeps one state per process (voice, rate, callback), so every use
of it happens under one lock, for the length of one clause. Positions follow
`speak_lib.h` of eSpeak NG 1.52: characters counted from 1, samples counted
from the start of the clause.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inzwa_rtc.engines.tts.espeak.data import DataFolder
from inzwa_rtc.errors import EngineError, EngineUnavailable

_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: audio comes through the callback, inside the call
# The shortest that the library takes. Its first 60 ms are there after 0.2 to 0.3 ms, and the next
# 0.1 ms later: a first chunk of 20 ms would leave a tenth of a millisecond earlier, so none is cut.
_BUFFER_MS = 60
_DONT_EXIT = 0x8000  # a broken data folder must not end the process
_RATE = 1  # espeak_PARAMETER
_CHARACTERS = 1  # espeak_POSITION_TYPE
_CHARS_UTF8 = 1
_END_PAUSE = 0x1000
_IPA = 0x02
_WITH_TIE = 0x80
_EVENT_END = 0
_EVENT_WORD = 1


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


_UNHEARD = _Callback(lambda wave, samples, events: 0)


@dataclass(frozen=True, slots=True)
class WordMark:
    """A word begins: at character `index` (from 0) of the clause, at `sample` of its audio."""

    index: int
    sample: int


Sink = Callable[[bytes, list[WordMark]], bool]
"""Takes int16 audio and the marks within it; returns False to stop the synthesis."""


class ESpeakLibrary:
    """A use of the process's eSpeak NG library; the last one to close frees it.

    Raises `ModuleNotFoundError` when the library is not installed, and
    `EngineUnavailable` when it does not work.
    """

    _lock = threading.Lock()
    _users = 0
    _library: Any = None
    _data: Any = None
    _sample_rate = 0
    _voice: str | None = None
    _has_read = False  # since it last spoke

    def __init__(self) -> None:
        self._open = True
        with self._lock:
            if ESpeakLibrary._users == 0:
                self._load()
            ESpeakLibrary._users += 1
        self.sample_rate = ESpeakLibrary._sample_rate

    def close(self) -> None:
        """Give the library back. A clause that is being spoken is waited for."""
        with self._lock:
            if not self._open:
                return
            self._open = False
            ESpeakLibrary._users -= 1
            if ESpeakLibrary._users == 0:
                ESpeakLibrary._library.espeak_Terminate()
                ESpeakLibrary._data.remove()
                ESpeakLibrary._library = ESpeakLibrary._data = ESpeakLibrary._voice = None

    def speak(self, clause: str, voice: str, rate_wpm: int, sink: Sink, *, end_pause: bool) -> None:
        """Synthesize one clause, blocking; `sink` is called in this thread.

        `voice` is the path of a voice file within eSpeak's data and must not
        come from a caller. Neither phonemes in brackets nor SSML are read:
        the text is spoken as it stands.
        """
        failures: list[BaseException] = []

        def receive(wave: Any, samples: int, events: Any) -> int:
            try:
                pcm = ctypes.string_at(wave, samples * 2) if wave and samples else b""
                return 0 if sink(pcm, _marks(events)) else 1
            except BaseException as error:  # noqa: BLE001 (C cannot carry it: raised again below)
                failures.append(error)
                return 1

        callback = _Callback(receive)
        text = clause.replace("\0", " ").encode("utf-8", "replace") + b"\0"
        flags = _CHARS_UTF8 | (_END_PAUSE if end_pause else 0)
        with self._lock:
            if not self._open:
                raise EngineError("eSpeak was closed while it had text to speak.")
            library = self._with_voice(voice)
            if ESpeakLibrary._has_read:
                # It would leave out the first word's mark after phonemes were asked for.
                library.espeak_SetSynthCallback(_UNHEARD)
                library.espeak_Synth(b"a\0", 2, 0, _CHARACTERS, 0, _CHARS_UTF8, None, None)
                ESpeakLibrary._has_read = False
            library.espeak_SetSynthCallback(callback)
            library.espeak_SetParameter(_RATE, rate_wpm, 0)
            status = library.espeak_Synth(text, len(text), 0, _CHARACTERS, 0, flags, None, None)
        if failures:
            raise failures[0]
        if status != 0:
            raise EngineError(f"eSpeak could not speak a clause (status {status}).")

    def phonemes(self, text: str, voice: str, *, tie: str = "") -> str:
        """The sounds of a text in the letters of the IPA, words apart, stress marked; without
        its punctuation. `tie` stands between the letters of one sound.

        `voice` as for `speak`; where another language's sounds are taken, eSpeak says so in
        parentheses.
        """
        rest = ctypes.c_char_p(text.replace("\0", " ").encode("utf-8", "replace"))
        mode = _IPA | (ord(tie) << 8 | _WITH_TIE if tie else 0)
        told: list[bytes] = []
        with self._lock:
            if not self._open:
                raise EngineError("eSpeak was closed while it had text to read.")
            library = self._with_voice(voice)
            ESpeakLibrary._has_read = True
            while rest.value:
                told.append(
                    library.espeak_TextToPhonemes(ctypes.byref(rest), _CHARS_UTF8, mode) or b""
                )
        return b" ".join(told).decode("utf-8", "replace").strip()

    def _with_voice(self, voice: str) -> Any:
        """The library, set to this voice."""
        library = ESpeakLibrary._library
        if voice != ESpeakLibrary._voice:
            if library.espeak_SetVoiceByName(voice.encode()) != 0:
                raise EngineError(
                    f"This eSpeak has no voice file {voice}.",
                    action="Install espeakng-loader again.",
                )
            ESpeakLibrary._voice = voice
        return library

    def _load(self) -> None:
        import espeakng_loader

        try:
            library = ctypes.CDLL(espeakng_loader.get_library_path())
        except OSError as error:
            raise EngineUnavailable(
                f"The library of eSpeak NG cannot be loaded: {error}.",
                action="Install espeakng-loader again.",
            ) from error
        library.espeak_Synth.argtypes = (
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_uint,
            ctypes.c_uint,
            ctypes.c_void_p,
            ctypes.c_void_p,
        )
        library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        data = DataFolder.create(Path(espeakng_loader.get_data_path()))
        try:
            path = bytes(data.path)
            rate = library.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, path, _DONT_EXIT)
            if rate <= 0:
                raise EngineUnavailable(
                    "eSpeak NG did not find its data.", action="Install espeakng-loader again."
                )
            data.compile(library)
        except BaseException:
            library.espeak_Terminate()
            data.remove()
            raise
        ESpeakLibrary._library = library
        ESpeakLibrary._data = data
        ESpeakLibrary._sample_rate = rate


def _marks(events: Any) -> list[WordMark]:
    marks: list[WordMark] = []
    index = 0
    while events and events[index].type != _EVENT_END:
        event = events[index]
        if event.type == _EVENT_WORD:
            marks.append(WordMark(event.text_position - 1, event.sample))
        index += 1
    return marks
