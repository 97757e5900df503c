"""The servers that ours is compared with hear each caller as if there were no other."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers.shared import WINDOW, WINDOW_MS, Samples, Silero


class Counting:
    """A model whose state is how many windows it has heard, and whose verdict is that."""

    def run(self, names: None, inputs: dict[str, Any]) -> list[Any]:
        state = inputs["state"] + 1
        return [state[:1, 0, :1] / 10, state]


def windows(count: int) -> Samples:
    return np.zeros(count * WINDOW, np.int16)


def test_streams_of_one_detector_know_nothing_of_each_other() -> None:
    silero = Silero(Counting())
    first, second = silero.stream(), silero.stream()
    heard = []
    for _ in range(3):  # in turn, as threads may come
        heard.append((first.judge(windows(1)), second.judge(windows(1))))
    assert [one for one, _ in heard] == [other for _, other in heard]
    assert [round(one, 1) for one, _ in heard] == [0.1, 0.2, 0.3]


def test_a_piece_is_judged_anew_and_what_does_not_fill_a_window_is_left_out() -> None:
    silero = Silero(Counting())
    piece = np.concatenate([windows(7), np.zeros(100, np.int16)])
    for _ in range(2):
        assert silero.speech_s(piece) == 3 * WINDOW_MS / 1000  # 0.5, 0.6 and 0.7
