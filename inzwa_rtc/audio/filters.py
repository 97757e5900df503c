"""Filters of FFmpeg (libavfilter through PyAV) that run where they are called.

Left to itself each graph starts as many threads as the machine has processors, keeps them as long
as it lives, and none of our filters uses any. Starting them takes longer than all else. PyAV's
encoders of whole files (`container`) make such a graph inside and cannot be told otherwise.
"""

from __future__ import annotations

import av
from av.filter import Graph


def filter_graph() -> Graph:
    """An empty graph without threads of its own."""
    graph = Graph()
    graph.threads = 1
    return graph


def pulled(graph: Graph) -> list[av.AudioFrame]:
    """The frames that are ready; none where it waits for more, or has ended."""
    frames: list[av.AudioFrame] = []
    while True:
        try:
            frame = graph.pull()
        except (BlockingIOError, EOFError):
            return frames
        assert isinstance(frame, av.AudioFrame)
        frames.append(frame)


class FrameResampler:
    """Turns frames into mono of one sample format (FFmpeg's name for it) at `rate` Hz, with at
    most 1 ms of lag. The first frame says what comes: later ones are like it."""

    def __init__(self, form: str, rate: int) -> None:
        self._form, self._rate = form, rate
        self._comes: tuple[str, str, int] | None = None
        self._graph: Graph | None = None

    def resample(self, frame: av.AudioFrame | None) -> list[av.AudioFrame]:
        """The frames that are complete with this one; None for the last ones, after which
        nothing more may come. Raises `ValueError` for a frame that is not like the first."""
        if frame is not None:
            comes = (frame.format.name, frame.layout.name, frame.sample_rate)
            if self._comes is None:
                self._comes = comes
                if comes != (self._form, "mono", self._rate):
                    self._graph = self._from(frame)
            elif comes != self._comes:
                raise ValueError("The sound has changed its format, channels or rate.")
        if self._graph is None:
            return [] if frame is None else [frame]
        self._graph.push(frame)
        return pulled(self._graph)

    def _from(self, frame: av.AudioFrame) -> Graph:
        graph = filter_graph()
        graph.link_nodes(
            graph.add_abuffer(
                sample_rate=frame.sample_rate,
                format=frame.format,
                layout=frame.layout.name,
                time_base=frame.time_base,
            ),
            graph.add(
                "aformat",
                sample_fmts=self._form,
                sample_rates=str(self._rate),
                channel_layouts="mono",
            ),
            graph.add("abuffersink"),
        ).configure()
        return graph
