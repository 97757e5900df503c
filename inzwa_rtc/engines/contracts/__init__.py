"""What a conversation asks of its engines: four small Protocols and their data.

An engine is one plain class. It is built with its validated options (which may
block while a model loads), and from then on its methods are coroutines that
never block the loop; an engine whose library computes does so in a thread.
Where it runs (a child process by default) is not its concern.

Every stream ends early when its consumer closes it: an engine then stops its
work within 100 ms where its library allows.
"""

from __future__ import annotations

from inzwa_rtc.engines.contracts.ability import Ability, EngineKind
from inzwa_rtc.engines.contracts.dialogue import (
    TOOL_FAILED,
    FinishReason,
    LanguageModel,
    Message,
    PreparingLanguageModel,
    ReplyRequest,
    Role,
    Sampling,
    TokenChunk,
    ToolCall,
    ToolSpec,
    ToolUsingLanguageModel,
    Usage,
    new_call_id,
    takes_tools,
    without_tools,
)
from inzwa_rtc.engines.contracts.recognition import (
    ASR_SAMPLE_RATE,
    Haste,
    HeardWord,
    LanguageKnowingRecognizer,
    Microphone,
    NoiseSuppressor,
    Recognizer,
    RecognizeRequest,
    SharedVoiceDetector,
    TranscriptChunk,
    VoiceDetector,
)
from inzwa_rtc.engines.contracts.speech import (
    IdentifiedSynthesizer,
    LimitedSynthesizer,
    NamingSynthesizer,
    PreferringSynthesizer,
    Speaker,
    SpeechChunk,
    SpeechRequest,
    Synthesizer,
    Voice,
    WordTime,
)

__all__ = [
    "ASR_SAMPLE_RATE",
    "TOOL_FAILED",
    "Ability",
    "EngineKind",
    "FinishReason",
    "Haste",
    "HeardWord",
    "IdentifiedSynthesizer",
    "LanguageKnowingRecognizer",
    "LanguageModel",
    "LimitedSynthesizer",
    "Message",
    "Microphone",
    "NamingSynthesizer",
    "NoiseSuppressor",
    "PreferringSynthesizer",
    "PreparingLanguageModel",
    "RecognizeRequest",
    "Recognizer",
    "ReplyRequest",
    "Role",
    "Sampling",
    "SharedVoiceDetector",
    "Speaker",
    "SpeechChunk",
    "SpeechRequest",
    "Synthesizer",
    "TokenChunk",
    "ToolCall",
    "ToolSpec",
    "ToolUsingLanguageModel",
    "TranscriptChunk",
    "Usage",
    "Voice",
    "VoiceDetector",
    "WordTime",
    "new_call_id",
    "takes_tools",
    "without_tools",
]
