"""Speech from ElevenLabs: over HTTP, or over a WebSocket."""
