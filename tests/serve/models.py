"""Tiny models in folders, as `tutelage chat` and `tutelage generate` are given them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import AddedToken

from tests.generate.models import byte_tokenizer, tiny_model
from tutelage.tokens.templates import resolve_template


def save_tiny(folder: Path, kind: str = "llama", template: str | None = "chatml", **changes: Any) -> Path:
    """A random model of this kind beside a byte-level tokenizer, with a chat template of ours or without one."""
    tokenizer = byte_tokenizer(merges=60)
    markers = [AddedToken(marker, special=True, normalized=False) for marker in ("<|im_start|>", "<|im_end|>")]
    tokenizer.add_special_tokens({"additional_special_tokens": markers})
    if template is not None:
        tokenizer.chat_template = resolve_template(template, tokenizer)
    model = tiny_model(kind, vocabulary=len(tokenizer), **changes)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
