"""OpenAI's own client, unmodified, which is told another address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import openai

from tests.support.server import Serving, ServingEmbedded


@asynccontextmanager
async def openai_client(server: Serving | ServingEmbedded) -> AsyncIterator[openai.AsyncOpenAI]:
    """With a key of this server's, as it always sends one."""
    _, secret = await server.store.keys.create("a test", {"call"})
    url = f"{server.url}/v1"
    async with openai.AsyncOpenAI(base_url=url, api_key=secret, max_retries=0) as client:
        yield client
