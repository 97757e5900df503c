"""How a text is read aloud: what is said, in which pieces, and how they are joined."""
