"""llama.cpp in the engine's own process, through either of its Python packages."""
