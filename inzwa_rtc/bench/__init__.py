"""Load on a server of calls: callers over WebRTC, and what they hear of it and when.

Nothing here knows the server's own code, so that others can be measured alike. One process makes
all callers, on one clock; what it says of a server is worth something only as long as it keeps
its own time, which it measures as well (`SendClock`).
"""
