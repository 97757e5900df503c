"""The noise suppressor that the settings name."""

from __future__ import annotations

from collections.abc import Callable

from inzwa_rtc.engines.contracts import NoiseSuppressor
from inzwa_rtc.errors import EngineUnavailable
from inzwa_rtc.installation import pip_install
from inzwa_rtc.settings import NoiseSuppression

NewSuppressor = Callable[[], NoiseSuppressor | None]

_REQUIREMENTS = {"webrtc": "inzwa-rtc[webrtc-noise]", "rnnoise": "inzwa-rtc[rnnoise]"}


def no_suppressor() -> None:
    """For calls whose audio is left as it comes."""


def chosen(name: NoiseSuppression) -> NewSuppressor:
    """What makes the suppressor of each call.

    One is made here and now, so that what is missing is known before the first call. Raises
    `EngineUnavailable` with the command that installs it.
    """
    if name == "off":
        return no_suppressor
    try:
        new = _imported(name)
        new()
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("inzwa_rtc"):
            raise  # a fault of ours, which no extra would mend
        raise EngineUnavailable(
            f"The noise suppressor `{name}` is not installed (no module `{error.name}`).",
            action=f"Run: {pip_install(_REQUIREMENTS[name])}",
        ) from error
    except (ImportError, AttributeError, OSError) as error:
        raise EngineUnavailable(
            f"The noise suppressor `{name}` cannot be loaded: {error}",
            action=f"Reinstall it: {pip_install(_REQUIREMENTS[name])}",
        ) from error
    return new


def _imported(name: str) -> Callable[[], NoiseSuppressor]:
    # Imported late: a server without it pays nothing, nor needs the libraries.
    if name == "webrtc":
        from inzwa_rtc.noise.webrtc import WebRtcSuppressor

        return WebRtcSuppressor
    from inzwa_rtc.noise.rnnoise import RNNoise

    return RNNoise
