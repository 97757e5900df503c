"""What the caller hears next, and what was heard."""
