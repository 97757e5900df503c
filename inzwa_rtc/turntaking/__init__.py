"""When the caller's turn starts and ends. Synchronous; time is samples."""
