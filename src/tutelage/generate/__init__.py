"""The one generator: batched, prefix-cached, streaming."""
