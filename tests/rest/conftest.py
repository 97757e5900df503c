"""What tests of the HTTP paths share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import openai
import pytest_asyncio

from tests.support.openai import openai_client
from tests.support.server import ServingEmbedded, serving_embedded


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def embedded() -> AsyncIterator[ServingEmbedded]:
    """The product as it comes, one for the tests of a file."""
    async with serving_embedded() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(embedded: ServingEmbedded) -> AsyncIterator[openai.AsyncOpenAI]:
    """OpenAI's own client, which is told another address and nothing else."""
    async with openai_client(embedded) as client:
        yield client
