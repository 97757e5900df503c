"""Qwen3-TTS: named speakers, described voices, cloned voices."""
