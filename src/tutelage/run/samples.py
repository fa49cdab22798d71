"""Answers to the same prompts before and after a run, for its report: greedy, short, few, and nothing is learnt.

Prompts are held-out ones where there are any: of the validation rows. Without these they are of rows that are trained
on, for keeping rows back would change what is learnt, and the report says so. Where whole texts are learnt, their
openings are continued.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tutelage.errors import UserError
from tutelage.generate.generator import Generator
from tutelage.generate.settings import SamplingSettings
from tutelage.generate.text import text_of
from tutelage.records import Leaf
from tutelage.run.recipe import Recipe
from tutelage.run.rows import Rows
from tutelage.run.setup import Setup
from tutelage.tokens.chat import ChatFormat
from tutelage.tokens.probe import QUESTION, turn_of_words
from tutelage.tokens.rendering import Refused
from tutelage.tokens.store import LeafStore

# Tokens of an answer, of the opening of a text, of the longest prompt that is taken.
ANSWER, OPENING, LONGEST = 64, 32, 384
# Of a large model on a small machine an answer is left where it is after so long.
SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is asked: its ids, and as text; and what the row answers."""

    ids: tuple[int, ...]
    text: str
    reference: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A prompt with the answers of the model before and after the run, and the row's own."""

    prompt: str
    before: str
    after: str
    reference: str


@dataclass(frozen=True, slots=True)
class Samples:
    """What the report shows. held_out: whether the prompts are of validation rows."""

    held_out: bool
    rows: tuple[Sample, ...]


class _TimeIsUp(Exception):  # noqa: N818  (no error: what is there by then is taken)
    pass


class Sampler:
    """Asks a model the same prompts whenever it is told to. held_out: whether the prompts are of validation rows."""

    def __init__(self, prompts: Sequence[Prompt], stop_ids: Sequence[int], *, padding: bool, held_out: bool) -> None:
        """padding: whether the model takes prompts of different lengths in one batch (`Loaded.forest`)."""
        self.prompts = list(prompts)
        self.held_out = held_out
        self._stop_ids = tuple(stop_ids)
        self._padding = padding

    def answers(self, model: Any, tokenizer: Any, dtype: torch.dtype) -> list[str]:
        """An answer to each prompt, up to its stop token, or as far as it came.

        The model is left as it was, and so are random numbers. dtype: of the run's matrix products, heeded where the
        model's own weights are of several.
        """
        if not self.prompts:
            return []
        trains = model.training
        model.eval()
        tokens: list[list[int]] = [[] for _ in self.prompts]
        until = time.monotonic() + SECONDS

        def take(place: int, token: int) -> None:
            if time.monotonic() > until:
                raise _TimeIsUp
            tokens[place].append(token)

        generator = Generator(model, tokenizer, self._stop_ids, padding=self._padding)
        mixed = len({weight.dtype for weight in model.parameters()}) > 1
        try:
            with torch.autocast(model.device.type, dtype=dtype, enabled=mixed and dtype != torch.float32):
                generator.complete([prompt.ids for prompt in self.prompts], SamplingSettings(max_tokens=ANSWER), take)
        except (_TimeIsUp, UserError):  # outputs that are no numbers are refused by the loop, with what to do
            pass
        finally:
            model.train(trains)
        kept = [[token for token in row if token not in self._stop_ids] for row in tokens]
        return [text_of(tokenizer, row).strip() for row in kept]

    def compare(self, before: Sequence[str], after: Sequence[str]) -> Samples:
        """The prompts with their answers, side by side."""
        pairs = zip(self.prompts, before, after, strict=True)
        rows = tuple(Sample(prompt.text, old, new, prompt.reference) for prompt, old, new in pairs)
        return Samples(self.held_out, rows)


def sampler_for(recipe: Recipe, rows: Rows, setup: Setup, chat: ChatFormat | None, tokenizer: Any) -> Sampler:
    """The prompts of a run, `report.samples` of them, and what ends their answers."""
    config = setup.loop.model.language_model.config.get_text_config()
    prompts = choose_prompts(
        (rows.validation or rows.train).store(0),
        recipe.report.samples,
        tokenizer,
        chat,
        openings=recipe.stage == "pretrain" or recipe.objective.train_on == "everything",
        context=getattr(config, "max_position_embeddings", None),
    )
    ends = chat.stop_ids if chat is not None else (tokenizer.eos_token_id,)
    stop_ids = [end for end in ends if end is not None]
    return Sampler(prompts, stop_ids, padding=setup.loaded.forest, held_out=rows.validation is not None)


def choose_prompts(
    store: LeafStore, count: int, tokenizer: Any, chat: ChatFormat | None, *, openings: bool, context: int | None
) -> list[Prompt]:
    """At most `count` prompts, from examples that are evenly spaced over the store; too long ones are left out.

    openings: whole texts are learnt, so each prompt is how one begins. context: positions that the model has.
    """
    room = min(LONGEST, (context or LONGEST + ANSWER) - ANSWER)
    found: list[Prompt] = []
    seen: set[tuple[int, ...]] = set()
    order = np.argsort(np.arange(len(store)) * 0.6180339887 % 1, kind="stable")  # spread, and the same every time
    for example in order[: 50 * count].tolist():
        if len(found) == count:
            break
        leaf = store.leaves(example)[0]
        start = min(OPENING, len(leaf.ids) // 2) if openings else leaf.start
        ids = tuple(int(id) for id in leaf.ids[:start])
        if 0 < start <= room and ids not in seen:
            seen.add(ids)
            found.append(Prompt(ids, asked(ids, tokenizer, chat), _reference(leaf, start, tokenizer)))
    return found


def asked(ids: Sequence[int], tokenizer: Any, chat: ChatFormat | None) -> str:
    """A prompt for people: the question alone where it is a plain one, else all of it without special tokens."""
    whole: str = tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
    if chat is not None:
        try:
            before, found, after = chat.render([turn_of_words("user", QUESTION)]).partition(QUESTION)
        except Refused:
            before = found = after = ""
        if found and whole.startswith(before) and whole.endswith(after) and len(whole) > len(before) + len(after):
            question = whole[len(before) : len(whole) - len(after)]
            if chat.vocabulary.special_in(question) is None:
                return question.strip()
    return text_of(tokenizer, list(ids)).strip()


def _reference(leaf: Leaf, start: int, tokenizer: Any) -> str:
    ids = [int(id) for id in leaf.ids[start : start + 4 * ANSWER]]
    return text_of(tokenizer, ids).strip()
