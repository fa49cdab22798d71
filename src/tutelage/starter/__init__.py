"""The embedded world: its text, its instruction rows, its exam, and the shape of its small model."""
