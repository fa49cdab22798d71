"""Log-probabilities in, loss out."""
