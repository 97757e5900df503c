"""The kinds of engines, and what one may be able to do beyond its Protocol."""

from __future__ import annotations

from typing import Literal

EngineKind = Literal["asr", "llm", "tts"]

Ability = Literal[
    "partials",  # transcripts while the caller still speaks
    "word times",  # of final transcripts, or of speech
    "detects language",
    "translates",  # to English
    "hotwords",
    "adapters",  # a LoRA adapter for each request
    "reads ahead",  # the dialogue, before a reply is asked for
    "probabilities",  # of the tokens of a reply
    "hangs up",  # when the dialogue is over
    "tools",  # asks for what is offered with the request
    "streams",  # sound of a sentence leaves while the rest of it is made
    "mixes voices",  # `af_bella*0.7+af_sarah*0.3`
    "clones voices",  # from a recording
]
"""What an engine may be able to do beyond its Protocol.

An engine's class has `abilities`, all that it can do at best; where the options or the model
leave some out, the instance has its own.
"""
