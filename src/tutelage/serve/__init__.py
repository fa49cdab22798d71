"""The result in use: chat in a terminal, answers in bulk."""
