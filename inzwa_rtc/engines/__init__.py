"""Engines behind four Protocols, each in a supervised process of its own."""
