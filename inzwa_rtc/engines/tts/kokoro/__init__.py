"""Kokoro: 82 million parameters, 24 kHz, voices that are arrays and can be mixed."""
