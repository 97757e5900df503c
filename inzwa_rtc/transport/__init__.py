"""How audio and events travel: RTP and data channel, or WebSocket; no HTTP here."""
