"""One completion in a thread, told on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor

from inzwa_rtc.engines.llm.context import ContextFitter
from inzwa_rtc.engines.llm.llama.backend import Backend, Completion, Failed, PromptTooLong, Told
from inzwa_rtc.errors import EngineError


class Run:
    """Made on the loop; `told` runs it, once."""

    def __init__(
        self,
        backend: Backend,
        completion: Completion,
        threads: ThreadPoolExecutor,
        fitter: ContextFitter,
        context: int,
    ) -> None:
        self.completion = completion
        self._backend = backend
        self._threads = threads
        self._fitter = fitter
        self._context = context
        self._is_wanted = True

    def stop(self) -> None:
        """End it after the batch under way."""
        self._is_wanted = False

    async def told(self) -> AsyncGenerator[Told, None]:
        """All that it tells. Closing stops it and waits for the batch under way: only then may
        its slot be used again."""
        loop = asyncio.get_running_loop()
        telling: asyncio.Queue[Told | BaseException | None] = asyncio.Queue()  # of max_tokens
        running = loop.run_in_executor(self._threads, self._work, loop, telling)
        try:
            while told := await telling.get():
                if isinstance(told, PromptTooLong):
                    self._fitter.learn(self.completion.messages, told.tokens)
                if isinstance(told, BaseException):
                    raise told
                if told.prompt_tokens is not None:
                    self._fitter.learn(self.completion.messages, told.prompt_tokens)
                    if told.prompt_tokens + self.completion.max_tokens > self._context:
                        raise PromptTooLong(told.prompt_tokens)  # it would be cut off by the end
                yield told
        finally:
            self.stop()
            await asyncio.shield(running)

    def _work(
        self, loop: asyncio.AbstractEventLoop, telling: asyncio.Queue[Told | BaseException | None]
    ) -> None:
        def tell(told: Told) -> bool:
            if told.token or told.calls or told.is_final or told.prompt_tokens is not None:
                loop.call_soon_threadsafe(telling.put_nowait, told)
            return self._is_wanted

        ending: BaseException | None = None
        try:
            self._backend.complete(self.completion, tell)
        except Failed as error:
            ending = EngineError(
                f"llama.cpp could not continue the dialogue ({error.reason}).",
                action="Check that the model has a chat template and is not damaged.",
            )
        except BaseException as error:  # noqa: BLE001 - raised where it is awaited
            ending = error
        loop.call_soon_threadsafe(telling.put_nowait, ending)
