"""Measurements of a running server, to be repeated by anyone: see docs/benchmarks.md."""
