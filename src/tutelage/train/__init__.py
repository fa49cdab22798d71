"""The only loop, and what it needs."""
