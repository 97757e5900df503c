"""What a language model may have done: tools, when they are offered, and where they come from."""
