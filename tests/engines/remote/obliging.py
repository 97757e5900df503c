"""Servers that answer each request as a well-behaved one would: the same with the same.

They say words of the question again, as many as may be said.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import wave
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiohttp import web

from tests.engines.remote.fake_server import ASKED, DONE, FINISHED, delta, line

CONTEXT = 4096
CHARACTERS = 4  # of a token
KNOWN = {"tiny"}


async def openai_chat(request: web.Request) -> web.StreamResponse:
    """`/v1/chat/completions` as vLLM has it."""
    body = request[ASKED].body
    if body["model"] not in KNOWN:
        return refusal(404, "model_not_found", f"The model `{body['model']}` does not exist.")
    if not _are_in_turn(body["messages"]):
        return refusal(400, "BadRequestError", "Conversation roles must alternate user/assistant.")
    if (tokens := _tokens(body["messages"])) > CONTEXT:
        told = f"This model's maximum context length is {CONTEXT} tokens. However, your messages "
        return refusal(400, "context_length_exceeded", f"{told}resulted in {tokens} tokens.")
    pieces = [delta(word) for word in _words(body["messages"], body["max_tokens"])]
    return await _streamed(request, "text/event-stream", [*pieces, FINISHED, DONE])


async def ollama_chat(request: web.Request) -> web.StreamResponse:
    """`/api/chat`. Ollama cuts by itself a prompt that is too long."""
    body = request[ASKED].body
    if body["model"] not in KNOWN:
        return web.json_response({"error": f"model '{body['model']}' not found"}, status=404)
    if not _are_in_turn(body["messages"]):
        return web.json_response({"error": "roles must alternate"}, status=400)
    said = [
        {"model": "tiny", "message": {"role": "assistant", "content": word}, "done": False}
        for word in _words(body["messages"], body["options"]["num_predict"])
    ]
    count = {"prompt_eval_count": _tokens(body["messages"]), "eval_count": len(said)}
    end = {"model": "tiny", "message": {"role": "assistant", "content": ""}, "done": True} | count
    return await _streamed(request, "application/x-ndjson", [line(one) for one in [*said, end]])


async def openai_transcription(request: web.Request) -> web.StreamResponse:
    """`/v1/audio/transcriptions`: says how long the recording is, a word for each 100 ms."""
    form = request[ASKED].form
    if form.get("language", ["en"]) != ["en"]:
        return refusal(400, "invalid_language", "Unknown language.", param="language")
    with wave.open(io.BytesIO(form["file"][0])) as file:
        tenths = file.getnframes() * 10 // file.getframerate()
    words = [
        {"word": f"w{number}", "start": number / 10, "end": (number + 1) / 10}
        for number in range(tenths)
    ]
    text = " ".join(str(word["word"]) for word in words)
    segment = {"start": 0.0, "end": tenths / 10, "text": text, "avg_logprob": -0.1}
    answer = {"language": "english", "text": text, "segments": [segment], "words": words}
    return web.json_response(answer)


def refusal(status: int, code: str, message: str, **members: Any) -> web.Response:
    """An error in the form of OpenAI's."""
    error = {"message": message, "code": code, "type": "invalid_request_error", **members}
    return web.json_response({"error": error}, status=status)


async def _streamed(request: web.Request, kind: str, pieces: Sequence[bytes]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": kind})
    await response.prepare(request)
    for piece in pieces:
        await response.write(piece)
        await asyncio.sleep(0)  # others have their turn, the client's hang-up too
    await response.write_eof()
    return response


def _are_in_turn(messages: Sequence[Mapping[str, str]]) -> bool:
    """Whether a template as strict as Mistral's takes them: calls and results do not count."""
    turns = [
        message["role"]
        for message in messages
        if message["role"] != "tool" and "tool_calls" not in message
    ]
    if turns[:1] == ["system"]:
        del turns[0]
    return all(
        role == ("user", "assistant")[number % 2] for number, role in enumerate(turns)
    ) and bool(turns)


def _tokens(messages: Sequence[Mapping[str, str]]) -> int:
    return len(json.dumps(messages)) // CHARACTERS


def _words(messages: Sequence[Mapping[str, str]], count: int) -> Iterator[str]:
    # Ollama's client leaves an empty content out.
    words = messages[-1].get("content", "").split() or ["nothing"]
    return itertools.islice((f"{word} " for word in itertools.cycle(words)), count)
