"""The GPU is used where there is one; where one is missed, that is said, and by name refused."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from inzwa_rtc.engines import hardware
from inzwa_rtc.engines.hardware import Device, cpus, described, device_of, may_lock, model_on
from inzwa_rtc.errors import EngineUnavailable

LARGE, SMALL = Path("/m/large"), Path("/m/small")


def device(asked: str, gpus: int) -> Device:
    return device_of(asked, gpus, library="It", setting="asr_device", remedy="Install it")


@pytest.mark.parametrize(
    ("asked", "gpus", "chosen"),
    [
        ("cpu", 2, "cpu"),
        ("auto", 2, "cuda"),
        ("auto", 0, "cpu (no GPU found)"),
        ("cuda", 1, "cuda"),
        ("cuda:1", 2, "cuda:1"),
    ],
)
def test_the_device_is_the_gpu_where_there_is_one(asked: str, gpus: int, chosen: str) -> None:
    assert str(device(asked, gpus)) == chosen


@pytest.mark.parametrize(("asked", "gpus"), [("cuda", 0), ("cuda:1", 1)])
def test_a_gpu_that_is_not_there_is_an_error_that_says_what_to_do(asked: str, gpus: int) -> None:
    with pytest.raises(EngineUnavailable, match=f"no GPU `{asked}` that It can use") as missed:
        device(asked, gpus)
    assert missed.value.action == "Install it, or set `asr_device: cpu`."


def test_the_smaller_model_is_for_a_gpu_that_is_lacking_alone() -> None:
    assert model_on(device("auto", 0), LARGE, SMALL) == SMALL
    assert model_on(device("auto", 1), LARGE, SMALL) == LARGE
    assert model_on(device("cpu", 0), LARGE, SMALL) == LARGE, "the operator chose both"
    assert model_on(device("auto", 0), LARGE, None) == LARGE


def test_a_model_that_stands_in_for_another_is_told() -> None:
    lacking = device("auto", 0)
    told = described(lacking, SMALL, LARGE)
    assert told == {"model": "small", "instead_of": "large", "device": "cpu (no GPU found)"}
    assert described(lacking, LARGE, LARGE) == {"model": "large", "device": "cpu (no GPU found)"}


@pytest.mark.parametrize(
    ("limit", "user", "may"),
    [(99, 1000, False), (100, 1000, True), (99, 0, True), (resource.RLIM_INFINITY, 1000, True)],
)
def test_memory_is_locked_within_the_system_s_limit(
    monkeypatch: pytest.MonkeyPatch, limit: int, user: int, may: bool
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (limit, limit))
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert may_lock(100) is may


@pytest.mark.parametrize(("usable", "threads"), [(0.5, 1), (1.5, 1), (8.0, 8)])
def test_threads_are_whole_processors(
    monkeypatch: pytest.MonkeyPatch, usable: float, threads: int
) -> None:
    monkeypatch.setattr(hardware, "usable_processors", lambda: usable)
    assert cpus() == threads
