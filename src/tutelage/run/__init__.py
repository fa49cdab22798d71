"""One run of one stage: the recipe's schema, preflight, the run directory, `tune()`, and its report."""
