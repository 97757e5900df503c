"""One call: turns, their stages, and what was said."""
