"""The folder `model/` of a finished run: what transformers, PEFT and Tutelage load, with the chat template it was trained with."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import torch

from tutelage.run.files import told_in_words
from tutelage.tokens.chat import ChatFormat


def write_model(
    folder: Path, model: Any, tokenizer: Any, chat: ChatFormat | None, dtype: torch.dtype, card: str
) -> None:
    """Writes the model in Hugging Face layout (an adapter in PEFT's), beside `folder`, then renames it into place.

    dtype: that of the checkpoint the run began with, so that a tuned model is as large as its base. Adapters stay float32.
    """
    language_model = model.get_base_model() if hasattr(model, "get_base_model") else model
    if chat is not None:
        chat.attach(tokenizer)
        _set_generation_defaults(language_model, tokenizer, chat)
    aside = folder.with_name(f".{folder.name}.partial")
    with told_in_words(folder.parent):
        shutil.rmtree(aside, ignore_errors=True)
        if language_model is model:
            model.to(dtype)
        model.save_pretrained(aside)
        if language_model is not model and chat is not None:
            language_model.generation_config.save_pretrained(aside)
        tokenizer.save_pretrained(aside)
        (aside / "README.md").write_text(card, "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(aside, folder)


def _set_generation_defaults(language_model: Any, tokenizer: Any, chat: ChatFormat) -> None:
    """The stop tokens that the model learnt to end its turns with; whoever generates with transformers gets them too."""
    defaults = language_model.generation_config
    defaults.eos_token_id = list(chat.stop_ids)
    if defaults.pad_token_id is None:
        defaults.pad_token_id = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else chat.stop_id
    if defaults.temperature not in (None, 1.0) or defaults.top_p not in (None, 1.0):
        defaults.do_sample = True  # many bases set a temperature without it, which transformers refuses to save
