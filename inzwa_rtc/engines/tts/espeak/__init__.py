"""eSpeak NG through its C library."""
