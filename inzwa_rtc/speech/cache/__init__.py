"""Phrases that were spoken before, kept as sound."""
