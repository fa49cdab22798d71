"""The folder `model/` of a finished run: what transformers, PEFT and Tutelage load, chat template included."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from tutelage.run.files import told_in_words
from tutelage.tokens.chat import ChatFormat


def write_model(
    folder: Path, model: Any, tokenizer: Any, chat: ChatFormat | None, dtype: torch.dtype, card: str
) -> None:
    """Writes the model in Hugging Face layout (an adapter in PEFT's), beside `folder`, then renames it into place.

    dtype: that of the checkpoint the run began with, so that a tuned model is as large as its base. Adapters stay
    float32.
    """
    language_model = model.get_base_model() if hasattr(model, "get_base_model") else model
    if chat is not None:
        chat.attach(tokenizer)
        _set_generation_defaults(language_model, tokenizer, chat)
    _mend_generation_defaults(language_model)
    aside = folder.with_name(f".{folder.name}.partial")
    with told_in_words(folder.parent), _made_aside(aside):
        if language_model is model:
            model.to(dtype)
        model.save_pretrained(aside)
        if language_model is not model and chat is not None:
            language_model.generation_config.save_pretrained(aside)
        tokenizer.save_pretrained(aside)
        (aside / "README.md").write_text(card, "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(aside, folder)


@contextmanager
def _made_aside(folder: Path) -> Iterator[None]:
    """Within, `folder` is filled; if that fails it is gone, and safetensors' own error of a full disk is an OSError."""
    from safetensors import SafetensorError

    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1]))) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _set_generation_defaults(language_model: Any, tokenizer: Any, chat: ChatFormat) -> None:
    """The stop tokens that end the model's turns, for whoever generates with transformers alone."""
    defaults = language_model.generation_config
    defaults.eos_token_id = list(chat.stop_ids)
    if defaults.pad_token_id in (None, -1):
        defaults.pad_token_id = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else chat.stop_id


def _mend_generation_defaults(language_model: Any) -> None:
    """Many bases bring defaults that transformers refuses to save, a temperature without `do_sample` for one.

    So sampling is switched on where that is all they lack; else only their token ids are kept.
    """
    from transformers import GenerationConfig

    defaults = language_model.generation_config
    if defaults is None or _may_be_saved(defaults):
        return
    given = defaults.do_sample
    defaults.do_sample = True
    if _may_be_saved(defaults):
        return
    defaults.do_sample = given
    ids = {name: getattr(defaults, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    valid = {name: value for name, value in ids.items() if value != -1}  # some write -1 for none
    language_model.generation_config = GenerationConfig(**valid)


def _may_be_saved(defaults: Any) -> bool:
    try:
        defaults.validate(strict=True)
    except ValueError:
        return False
    return not (defaults.do_sample and defaults.temperature == 0.0)
