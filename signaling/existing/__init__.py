"""Paths that existing clients know, in the shapes that they expect. What is done is the same as
behind the native paths: docs/existing-clients.md shows which shares what."""
