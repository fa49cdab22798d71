"""How a run turns rows into token ids: its chat format, its length, its encoder. `tutelage data` shows the same."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tutelage.errors import UserError
from tutelage.run.recipe import Recipe
from tutelage.tokens.cache_terms import DatedChatFormat
from tutelage.tokens.chat import ChatFormat
from tutelage.tokens.encode import Encoder
from tutelage.tokens.templates import resolve_template

# Tokens a sequence, where neither the recipe nor the model sets a smaller limit.
LONGEST = 2048


def chat_format(recipe: Recipe, tokenizer: Any, started: datetime) -> ChatFormat | None:
    """None for pretraining, and for a base model's tokenizer without a template, which raw completions do without.

    started: the date that templates write.
    """
    if recipe.stage == "pretrain" or (recipe.chat_template is None and not tokenizer.chat_template):
        return None
    return DatedChatFormat(tokenizer, resolve_template(recipe.chat_template, tokenizer), started)


def encoder_for(recipe: Recipe, config: Any, tokenizer: Any, chat: ChatFormat | None) -> Encoder:
    """The encoder of a recipe for a model. Raises UserError as `length_limit` does."""
    return Encoder(
        tokenizer,
        chat,
        recipe.objective.train_on,
        length_limit(recipe.max_length, config, tokenizer),
        recipe.overlong or ("split" if recipe.stage == "pretrain" else "truncate-prompt"),
    )


def length_limit(wanted: int | None, config: Any, tokenizer: Any) -> int:
    """Tokens a sequence: `max_length` where it is given, else what model and tokenizer hold, at most `LONGEST`.

    Raises:
        UserError: more is wanted than the model has positions for.
    """
    positions = getattr(config, "max_position_embeddings", None)
    if wanted is None:
        return min(LONGEST, *(int(limit) for limit in (positions, tokenizer.model_max_length) if limit))
    if positions and wanted > positions:
        raise UserError(
            f"max_length={wanted} is more than the {positions} positions of the model (max_position_embeddings in its "
            f"config.json); give at most max_length={positions}"
        )
    return wanted
