"""Noise suppression on the way in, by libraries that are imported only where it is on."""
