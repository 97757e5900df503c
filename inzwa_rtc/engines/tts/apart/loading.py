"""What is told of a model that cannot be loaded."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from inzwa_rtc.errors import EngineUnavailable, InzwaError

_Model = TypeVar("_Model")


def loaded(model: Path, name: str, make: Callable[[], _Model], remedy: str) -> _Model:
    """What `make` makes of the model's files. Raises `EngineUnavailable` when it cannot."""
    try:
        return make()
    except InzwaError:
        raise
    except pickle.UnpicklingError as error:
        # The library's own text advises to load it all the same.
        raise EngineUnavailable(
            f"A file of the {name} model {model} is broken, or holds more than weights.",
            action="Use a model from a source that you trust, and fetch it again.",
        ) from error
    except Exception as error:
        raise EngineUnavailable(
            f"The {name} model {model} cannot be loaded: {type(error).__name__}: "
            f"{str(error)[:500]}.",
            action=remedy,
        ) from error
