"""Which languages and voices a caller may have, and which go together."""

from __future__ import annotations

from typing import Any

import pytest

from inzwa_rtc.conversation.peer import UpdateVoice
from inzwa_rtc.conversation.voice import VoiceSettings
from inzwa_rtc.conversation.voices import Voices
from inzwa_rtc.engines.contracts import Voice
from inzwa_rtc.errors import ConfigError, PeerError
from inzwa_rtc.settings import Settings
from tests.support.engines import ToneSynthesizer

ENGLISH = (Voice("british", "British", "en-GB"), Voice("american", "American", "en-US"))
SHONA = (Voice("tendai", "Tendai", "sn"),)


def voices_of(*voices: Voice, **settings: Any) -> Voices:
    synthesizer = ToneSynthesizer()
    synthesizer.voices = voices
    return Voices(synthesizer, Settings(**settings))


class Preferring(ToneSynthesizer):
    """Stands in for an engine that is not loaded yet."""

    def __init__(self, *voices: Voice) -> None:
        super().__init__()
        self.voices = voices
        self.knows_all_voices = False


@pytest.mark.parametrize(
    ("voices", "settings", "expected"),
    [
        (ENGLISH, {}, ("en", "british")),
        (ENGLISH, {"language": "EN-us"}, ("en-us", "american")),
        (ENGLISH, {"tts_voice": "american"}, ("en", "american")),
        (ENGLISH, {"language": "sn"}, ("sn", None)),
        (ENGLISH, {"language": "sn", "tts_voice": "american"}, ("sn", "american")),
        (ENGLISH + SHONA, {"language": "sn"}, ("sn", "tendai")),
        ((), {}, ("en", None)),
    ],
)
def test_a_caller_who_asks_for_nothing_gets_what_is_configured_and_fits(
    voices: tuple[Voice, ...], settings: dict[str, Any], expected: tuple[str, str | None]
) -> None:
    usual = voices_of(*voices, **settings).usual()
    assert (usual.language, usual.voice) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (UpdateVoice(), ("en", "american")),
        (UpdateVoice("sn"), ("sn", "tendai")),
        (UpdateVoice("en-GB"), ("en-GB", "american")),
        (UpdateVoice("EN_gb"), ("en-gb", "american")),
        (UpdateVoice(voice="british"), ("en", "british")),
        (UpdateVoice("sn", "british"), ("sn", "british")),
    ],
)
def test_a_new_language_brings_a_voice_that_fits_it(
    asked: UpdateVoice, expected: tuple[str, str]
) -> None:
    voices = voices_of(*ENGLISH, *SHONA, tts_voice="british")
    chosen = voices.choose(asked, VoiceSettings("en", "american", 1.5, "american"))
    assert (chosen.language, chosen.voice) == expected
    assert chosen.speed == 1.5


@pytest.mark.parametrize(
    ("asked", "before", "after"),
    [
        (UpdateVoice(), "british", "american"),
        (UpdateVoice(speed=1.5), "british", "american"),
        (UpdateVoice("en-GB"), "british", "american"),
        (UpdateVoice(voice="british"), "british", "british"),
        (UpdateVoice("sn"), "tendai", "tendai"),
    ],
)
def test_another_usual_voice_is_for_those_who_asked_for_none(
    asked: UpdateVoice, before: str, after: str
) -> None:
    old = voices_of(*ENGLISH, *SHONA, tts_voice="british")
    new = voices_of(*ENGLISH, *SHONA, tts_voice="american")
    chosen = old.choose(asked, old.usual())
    assert (chosen.voice, new.nearest(chosen).voice) == (before, after)
    assert old.nearest(new.nearest(chosen)) == chosen


def test_who_asks_for_another_language_no_longer_asks_for_the_voice() -> None:
    voices = voices_of(*ENGLISH, *SHONA, tts_voice="british")
    american = voices.choose(UpdateVoice(voice="american"), voices.usual())
    shona = voices.choose(UpdateVoice("sn"), american)
    assert voices.choose(UpdateVoice("en"), shona).voice == "british"


def test_what_is_not_offered_is_refused_and_what_is_offered_is_named() -> None:
    voices = voices_of(*ENGLISH)
    for asked, code in (
        (UpdateVoice("klingon"), "unknown_language"),
        (UpdateVoice("sn"), "unknown_language"),  # it has lines, but no voice
        (UpdateVoice(voice="tendai"), "unknown_voice"),
    ):
        with pytest.raises(PeerError) as refused:
            voices.choose(asked, voices.usual())
        assert refused.value.code == code
        assert "en" in refused.value.action or "british" in refused.value.action


@pytest.mark.parametrize("settings", [{"language": "de"}, {"tts_voice": "nope"}])
def test_settings_that_cannot_be_had_are_the_operators_fault(settings: dict[str, Any]) -> None:
    voices_of(*ENGLISH).check_settings()
    with pytest.raises(ConfigError):
        voices_of(*ENGLISH, **settings).check_settings()


def test_a_voice_of_an_engine_that_is_not_loaded_yet_is_not_refused() -> None:
    chain = Preferring(*ENGLISH)
    voices = Voices(chain, Settings(tts_voice="alloy"))
    voices.check_settings()
    assert voices.usual().voice == "alloy"
    chain.knows_all_voices = True
    with pytest.raises(ConfigError, match="alloy"):
        voices.check_settings()


@pytest.mark.parametrize("speed", [0.0, 0.2, 5.0, float("nan")])
def test_a_speed_that_no_voice_has_is_refused(speed: float) -> None:
    voices = voices_of(*ENGLISH)
    with pytest.raises(PeerError) as refused:
        voices.choose(UpdateVoice(speed=speed), voices.usual())
    assert refused.value.code == "bad_speed"
    assert voices.choose(UpdateVoice(speed=0.25), voices.usual()).speed == 0.25


BELLA = Voice("bella", "Bella", "en-US", engine="kokoro")
ESPEAK = (
    Voice("en-gb", "British", "en-GB", engine="espeak"),
    Voice("sn", "Shona", "sn", engine="espeak"),
)
RACHEL = Voice("rachel", "Rachel", "", engine="elevenlabs")


@pytest.mark.parametrize(
    ("voices", "language", "expected"),
    [
        ((BELLA, *ESPEAK), "en", "bella"),
        ((BELLA, *ESPEAK), "en-GB", "bella"),  # the preferred engine before the region
        ((BELLA, *ESPEAK), "sn", "sn"),
        ((*ESPEAK, BELLA), "en-US", "en-gb"),
        ((RACHEL, *ESPEAK), "sn", None),  # the preferred engine's own
        ((*ESPEAK, RACHEL), "sn", "sn"),
    ],
)
def test_of_several_engines_the_first_that_speaks_a_language_gives_the_voice(
    voices: tuple[Voice, ...], language: str, expected: str | None
) -> None:
    assert voices_of(*voices, language=language).usual().voice == expected


def test_voices_that_speak_any_language_offer_all_that_have_lines() -> None:
    assert voices_of(RACHEL).languages() == voices_of(*ENGLISH, *SHONA).languages()
    assert voices_of(*ENGLISH).languages() != voices_of(RACHEL).languages()
