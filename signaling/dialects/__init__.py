"""How events and commands are written down on the wire."""
