"""Models: which ones there are, how they come to this machine, and proof that they are intact.

`entries` is what the catalogue says, `sources` where files come from, `store` where they
lie, `pull` how they get there, `resolve` what an engine is given. Nothing here reads a
model: files are hashed before whatever parses them sees them.
"""
