"""Nothing: LLaMA-Factory imports torchaudio even for text, and no build of it fits this torch."""
