"""The machine that this runs on: what may be used of it, and how busy it is."""
