"""Text to token ids: chat templates, leaves, the prefix forest and its planner."""
