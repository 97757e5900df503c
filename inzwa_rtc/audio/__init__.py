"""Frames, Opus and sample rates."""
