"""Ends what a PyTorch model computes, between two of its layers, once nobody waits for it.

These libraries have no way to be stopped; but every layer is asked for by a call that may be
watched, and what a watcher raises ends the whole computation.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from inzwa_rtc.engines.tts.apart.mouth import Unwanted, Wanted


class Interruption:
    """Watches all layers of some models."""

    def __init__(self, *models: torch.nn.Module) -> None:
        self._current = threading.local()
        self._handles = [
            layer.register_forward_pre_hook(self._check)
            for model in models
            for layer in model.modules()
            if not isinstance(layer, torch.jit.ScriptModule)
        ]

    @contextmanager
    def watching(self, is_wanted: Wanted) -> Iterator[None]:
        """What is computed within, in this thread, ends with `Unwanted` once it is not wanted."""
        self._current.is_wanted = is_wanted
        try:
            yield
        finally:
            self._current.is_wanted = None

    def close(self) -> None:
        """Watch no longer."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _check(self, _layer: Any, _inputs: Any) -> None:
        is_wanted = getattr(self._current, "is_wanted", None)
        if is_wanted is not None and not is_wanted():
            raise Unwanted
