"""Whisper, through the libraries that run it on the operator's own machine."""
