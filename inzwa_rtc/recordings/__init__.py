"""Recordings that people send: opened with care, and cut into utterances."""
