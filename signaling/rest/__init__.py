"""Speech and answers over plain HTTP: the server's own paths, and those of OpenAI's clients."""
