"""CMU PocketSphinx on the guide's own phrases."""
