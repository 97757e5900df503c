"""An ONNX file, read whole and checked before anything runs it.

A model may keep weights in files of their own ("external data") and names these itself. Only
plain files in its own folder are taken: a name must not reach beyond it, and nothing of the
path may be a link. All weights are in memory afterwards, so that no library opens a file again.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import onnx

from inzwa_rtc.errors import EngineUnavailable

_LARGEST = 2**31 - 1  # bytes of any protobuf message


def broken(path: Path, reason: object) -> EngineUnavailable:
    """What to raise for a model that cannot be used for this reason."""
    return EngineUnavailable(
        f"The model {path} cannot be used: {str(reason).rstrip('.')}.",
        action="Export or download it again; `inzwa-rtc models verify` checks known ones.",
    )


def read_onnx(path: Path) -> tuple[onnx.ModelProto, str]:
    """The model with all its weights, and the SHA-256 of its bytes.

    Raises `EngineUnavailable` for a file that is no whole ONNX model, or that wants files from
    outside its folder.
    """
    if not path.is_file():
        raise EngineUnavailable(
            f"There is no ONNX model {path}.",
            action="Set `tts_model` to an `.onnx` file, a folder with one, or a name of the "
            "catalogue (`inzwa-rtc models list`).",
        )
    if path.stat().st_size > _LARGEST:
        raise broken(path, "it is larger than an ONNX file can be")
    data = path.read_bytes()
    digest = hashlib.sha256(data)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except Exception:  # noqa: BLE001 - protobuf's, which is no package of ours
        raise broken(path, "it is no ONNX file, or cut off") from None
    del data
    if not model.graph.node or not model.graph.output:
        raise broken(path, "it is no ONNX file, or empty")
    for tensor in _all_tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            digest.update(_take_in(tensor, path))
    return model, digest.hexdigest()


def _take_in(tensor: Any, path: Path) -> bytes:
    """Put the external data of a tensor into it; the bytes."""
    told = {entry.key: entry.value for entry in tensor.external_data}
    file = _within(path, told.get("location", ""))
    try:
        offset, length = int(told.get("offset", 0)), int(told.get("length", -1))
        # No link is followed, even one that was put there since.
        with os.fdopen(os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            length = size - offset if length < 0 else length
            if offset < 0 or length < 0 or offset + length > size:
                raise broken(path, f"the weights in {file.name} are cut off")
            stream.seek(offset)
            tensor.raw_data = stream.read(length)
    except (OSError, ValueError):
        raise broken(path, f"the weights in {file.name} cannot be read") from None
    tensor.ClearField("external_data")
    tensor.data_location = onnx.TensorProto.DEFAULT
    return bytes(tensor.raw_data)


def _within(path: Path, location: str) -> Path:
    """The file of external data; `EngineUnavailable` where it is not one of the model's folder."""
    parts = PurePosixPath(location).parts
    if (
        not parts
        or "\0" in location
        or "\\" in location
        or ".." in parts
        or PurePosixPath(location).is_absolute()
        or PureWindowsPath(location).drive
    ):
        raise broken(path, "it wants weights from a file outside its folder")
    file = path.parent
    for part in parts:
        file = file / part
        try:
            mode = file.lstat().st_mode
        except OSError:
            raise broken(path, f"its weights lie in {location}, which is missing") from None
        if stat.S_ISLNK(mode):
            raise broken(path, f"its weights lie in {location}, which is a link")
    if not stat.S_ISREG(mode):
        raise broken(path, f"its weights lie in {location}, which is no plain file")
    return file


def _all_tensors(model: onnx.ModelProto) -> Iterator[Any]:
    """Every tensor of a model: of its graph, and of the functions that nodes may call."""
    yield from _tensors(model.graph)
    for function in model.functions:
        yield from _of_attributes(function.attribute_proto)
        for node in function.node:
            yield from _of_attributes(node.attribute)


def _tensors(graph: Any) -> Iterator[Any]:
    """Every tensor of a graph, and of the graphs within it."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        yield from _of_attributes(node.attribute)


def _of_attributes(attributes: Iterable[Any]) -> Iterator[Any]:
    for attribute in attributes:
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
        for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
            yield from (sparse.values, sparse.indices)
        for inner in (attribute.g, *attribute.graphs):
            yield from _tensors(inner)
