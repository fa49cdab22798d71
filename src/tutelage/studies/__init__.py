"""Experiments made of runs: what is planned, run, counted and told of many runs of `tune` and `evaluate`."""
