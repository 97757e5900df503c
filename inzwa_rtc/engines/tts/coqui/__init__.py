"""Models of Coqui TTS: VITS, and XTTS, which streams and clones."""
