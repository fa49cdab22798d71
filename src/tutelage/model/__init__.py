"""Any Hugging Face causal language model, made to read forests."""
