"""The starter's architecture: a Qwen3 of about a million parameters, written as a folder that has no weights yet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, Qwen3Config

WIDTH = 128
LAYERS = 4
HEADS = 4
POSITIONS = 512


def starter_config(vocabulary: int, width: int = WIDTH) -> Qwen3Config:
    """The shape (Yang et al. 2025, Qwen3), for a vocabulary of that size; input and output embeddings are one matrix.

    Weights begin with a standard deviation of 1/sqrt(width): the usual 0.02 is that of a width of 2500, and a trial
    with models this narrow learnt to copy words sooner with theirs.
    """
    from transformers import Qwen3Config

    return Qwen3Config(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        head_dim=width // HEADS,
        max_position_embeddings=POSITIONS,
        tie_word_embeddings=True,
        initializer_range=width**-0.5,
        architectures=["Qwen3ForCausalLM"],
    )


def write_architecture(folder: Path, tokenizer: PreTrainedTokenizerFast) -> None:
    """config.json and the tokenizer: `tutelage tune stage=pretrain model=FOLDER` draws the weights from its seed."""
    config = starter_config(len(tokenizer))
    config.eos_token_id = tokenizer.eos_token_id
    config.pad_token_id = tokenizer.pad_token_id
    config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
