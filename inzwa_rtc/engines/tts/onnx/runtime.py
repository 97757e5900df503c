"""ONNX Runtime: sessions on a device of this machine, runs that can be broken off."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort

from inzwa_rtc.engines.hardware import Device, device_of
from inzwa_rtc.engines.tts.onnx.file import broken
from inzwa_rtc.errors import EngineError, EngineUnavailable

_CUDA = "CUDAExecutionProvider"
_ERRORS_ONLY = 3  # the library's log levels

Array = npt.NDArray[Any]


class Stopped(Exception):
    """A run was broken off, because nobody waits for its result."""


class Stop:
    """Breaks off the runs of one request: the one under way, and all that would follow."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Any = None
        self._is_set = False

    def set(self) -> None:
        """Break off. The runtime notices before its next operator."""
        with self._lock:
            self._is_set = True
            if self._running is not None:
                self._running.terminate = True

    def check(self) -> None:
        """Raises `Stopped` where it was broken off: for work between runs."""
        if self._is_set:
            raise Stopped

    @contextmanager
    def running(self) -> Iterator[Any]:
        """The options of a run; raises `Stopped` where it was or is broken off."""
        options = ort.RunOptions()
        with self._lock:
            if self._is_set:
                raise Stopped
            self._running = options
        try:
            yield options
        finally:
            with self._lock:
                self._running = None
        if self._is_set:
            raise Stopped


class Session:
    """A graph that is ready to be run, by several threads at once."""

    def __init__(self, model: onnx.ModelProto, path: Path, device: Device, threads: int) -> None:
        """Raises `EngineUnavailable` for a graph that the runtime refuses, or a device that it
        cannot use."""
        settings = ort.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.inter_op_num_threads = 1
        settings.log_severity_level = _ERRORS_ONLY + 1
        # Threads that wait for work in a loop would keep the processors from the calls.
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers: list[Any] = ["CPUExecutionProvider"]
        if not device.is_cpu:
            providers.insert(0, (_CUDA, {"device_id": device.number}))
        try:
            self._session = ort.InferenceSession(
                model.SerializeToString(), settings, providers=providers
            )
        except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
            raise broken(path, f"ONNX Runtime refuses it: {_first_line(error)}") from None
        if not device.is_cpu and self._session.get_providers()[0] != _CUDA:
            raise EngineUnavailable(
                f"ONNX Runtime cannot use the GPU `{device.name}`.",
                action="Install onnxruntime-gpu for the CUDA of this machine, or set "
                "`tts_device: cpu`.",
            )
        self.inputs = {one.name: one for one in self._session.get_inputs()}
        self.outputs = {one.name: one for one in self._session.get_outputs()}

    def run(self, names: Sequence[str], feed: Mapping[str, Array], stop: Stop) -> list[Array]:
        """The outputs of these names. Raises `Stopped`, and `EngineError` where it fails."""
        with stop.running() as options:
            try:
                made: list[Array] = self._session.run(list(names), dict(feed), options)
            except Exception as error:  # noqa: BLE001 - as above
                if options.terminate:
                    raise Stopped from None
                # The runtime's own words may have symbols of the text in them.
                raise EngineError(
                    f"The voice's model failed on a text ({type(error).__name__}).",
                    action="Check that there is memory left; `inzwa-rtc models verify` checks "
                    "the model.",
                ) from None
        return made

    def close(self) -> None:
        """Free the graph; a run under way keeps it until its end."""
        self._session = None

    def described(self, name: str) -> Any:
        """An output, described as another graph's input."""
        kind = self.outputs[name].type.removeprefix("tensor(").removesuffix(")")
        kind = {"float": "float32", "double": "float64"}.get(kind, kind)
        return onnx.helper.make_tensor_value_info(
            name, onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind)), None
        )


def chosen(asked: str) -> Device:
    """Where to compute, for the setting's value; see `hardware.device_of`."""
    return device_of(
        asked,
        0 if asked == "cpu" else _gpus(),
        library="ONNX Runtime",
        setting="tts_device",
        remedy="Install onnxruntime-gpu in place of onnxruntime",
    )


def _gpus() -> int:
    if _CUDA not in ort.get_available_providers():
        return 0
    kind = ort.OrtHardwareDeviceType.GPU
    return len([one for one in ort.get_ep_devices() if one.device.type == kind]) or 1


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
