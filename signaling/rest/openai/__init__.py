"""The paths of OpenAI's API that its clients use for speech and answers."""
