"""Chatterbox: zero-shot cloning, and the best of several takes."""
