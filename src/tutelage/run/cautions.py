"""What is likely to go wrong with a run, found before its first step: a table of questions, each sentence with a cure.

A caution never stops a run. What must stop one is raised where it is found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tutelage.run.preflight import Estimate, rows_of
from tutelage.run.recipe import Recipe

if TYPE_CHECKING:
    from torch import Tensor

    from tutelage.tokens.chat import ChatFormat

# Learning rates that are usual, by how the weights are trained. What is above the highest may be right for a small
# model: full tuning and pretraining take rates that fall with the square root of the size.
USUAL = {"full": (1e-6, 1e-4), "adapter": (1e-5, 2e-3), "pretrain": (1e-5, 1e-3)}
MANNERS = {"full": "full tuning", "adapter": "an adapter", "pretrain": "pretraining"}
REFERENCE_SIZE, HIGHEST_RATE = 1e9, 1e-2
# AdamW's scale; the others' rates mean something else.
SCALED_LIKE_ADAMW = ("adamw", "adamw-8bit", "muon")
# A row of the embedding that was never learnt is nought, or the mean of all rows (what resizing gives), or nearly so.
UNTRAINED = 0.1
# What templates write their markers as: <|im_start|>, <start_of_turn>, [INST].
MARKERS = re.compile(r"<\|[^\s<>|]+\|>|<[a-z]+_of_[a-z]+>|</?s>|\[/?INST\]")
# Shares of the rows: that are cut, that say what an earlier one says.
MOST, AGAIN = 0.5, 0.1
# Of the memory there is, what a run may take without worry.
ROOM = 0.9


@dataclass(frozen=True)
class Situation:
    """What cautions are found from.

    model: the transformers model, without PEFT's wrapper. size: its weights. adapted: an adapter is trained. report:
    data_report.json. limit: tokens a sequence. rate: the learning rate.
    """

    recipe: Recipe
    model: Any
    tokenizer: Any
    chat: ChatFormat | None
    size: int
    adapted: bool
    rate: float
    limit: int
    report: Mapping[str, Any]
    estimate: Estimate


Caution = Callable[[Situation], str | None]


def cautions(situation: Situation) -> tuple[str, ...]:
    """The sentences that apply, in the table's order."""
    return tuple(sentence for caution in CAUTIONS if (sentence := caution(situation)) is not None)


def memory_is_short(situation: Situation) -> str | None:
    """The peak is more than there is, or nearly."""
    memory = situation.estimate.memory
    if memory.limit is None or memory.total <= ROOM * memory.limit:
        return None
    told = f"the run needs about {memory.total / 1e9:.1f} GB of memory, and there are {memory.limit / 1e9:.1f}"
    cures = [] if situation.recipe.train.gradient_checkpointing else ["train.gradient_checkpointing=true"]
    cures += [] if situation.adapted else ["adapter=lora"]
    return f"{told}: take {', '.join([*cures, 'fewer train.tokens_per_forest'])} or a smaller max_length"


def rate_is_unusual(situation: Situation) -> str | None:
    """The learning rate is far from what the method wants.

    Full tuning of a model of 1e9 weights: 1e-6 to 1e-4; of one of 4e6: to 1e-4 · √250 = 1.6e-3.
    """
    if situation.recipe.train.optimizer not in SCALED_LIKE_ADAMW:
        return None
    pretrains = situation.recipe.stage == "pretrain"
    manner = "adapter" if situation.adapted else "pretrain" if pretrains else "full"
    low, high = USUAL[manner]
    if manner != "adapter":
        smaller = (REFERENCE_SIZE / max(situation.size, 1)) ** 0.5
        high = min(HIGHEST_RATE, high * max(1.0, smaller))
    if low <= situation.rate <= high:
        return None
    way, risk = ("high", "may destroy what the model knows") if situation.rate > high else ("low", "may change nothing")
    return (
        f"train.learning_rate={situation.rate:g} is {way} for {MANNERS[manner]} of a model of this size and {risk}: "
        f"{low:g} to {high:.2g} is usual"
    )


def stop_token_is_new(situation: Situation) -> str | None:
    """The head knows nothing of the token that ends every answer, and the head is not trained."""
    if situation.chat is None or situation.recipe.stage == "pretrain":
        return None
    stop = situation.chat.stop_id
    weight = situation.model.get_output_embeddings().weight
    if weight.requires_grad or not untrained(weight, stop):
        return None
    token, end = situation.tokenizer.convert_ids_to_tokens(stop), situation.tokenizer.eos_token
    other = f", or take chat_template=alpaca, whose answers end in {end!r}" if end not in (None, token) else ""
    return (
        f"the model never learnt {token!r}, which ends every answer, and its head is not trained, so it may never "
        f"stop: train all weights (adapter=null){other}"
    )


def untrained(weight: Tensor, row: int) -> bool:
    """Whether a row of an embedding [vocabulary, width] was never learnt: it is nought, or the mean of all rows.

    Of the rows (3, 4), (-3, 4), (0.1, 0), the last has a length of 0.1, less than a tenth of the median, 5: never
    learnt. So it is with (0, 2.7), which lies where the mean of all rows does.
    """
    import torch

    with torch.no_grad():
        table = weight.detach().float()
        lengths = table.norm(dim=1)
        mean = table.mean(dim=0)
        distances = (table - mean).norm(dim=1)
        short = lengths[row] < UNTRAINED * lengths.median()
        average = distances[row] < UNTRAINED * distances.median()
        return bool(short) or bool(average)


def markers_are_cut(situation: Situation) -> str | None:
    """The chat template writes markers that are no tokens of this tokenizer."""
    if situation.chat is None:
        return None
    shape, vocabulary = situation.chat.shape, situation.chat.vocabulary
    written = dict.fromkeys(MARKERS.findall(shape.header + (shape.opening or "") + shape.closing))
    cut = {marker: len(ids) for marker in written if len(ids := vocabulary.ids([marker])[0]) > 1}
    if not cut:
        return None
    told = " and ".join(f"{marker} into {pieces} tokens" for marker, pieces in cut.items())
    return (
        f"the chat template was made for another tokenizer, which this one's vocabulary shows: it cuts {told}; leave "
        "chat_template out, or choose one without markers, such as chat_template=alpaca"
    )


def serving_differs(situation: Situation) -> str | None:
    """A server that renders the saved template with transformers would send other prompt ids than were learnt."""
    if situation.chat is None:
        return None
    from tutelage.tokens.probe import QUESTION, turn_of_words

    ours = situation.chat.prompt_ids([turn_of_words("user", QUESTION)])
    theirs = situation.tokenizer.apply_chat_template(
        [{"role": "user", "content": QUESTION}],
        chat_template=situation.chat.template,
        add_generation_prompt=True,
        tokenize=True,
        return_dict=False,
    )
    if list(theirs) == ours:
        return None
    if "strftime_now" in situation.chat.template:
        return (
            "the chat template writes the date, so prompts at serving will not be those that are learnt: choose "
            "another with chat_template=…, or give the date in a system text of your own"
        )
    return (
        "transformers and vLLM would write other prompt ids with this template than are learnt here: serve with "
        "tutelage chat and tutelage generate, or choose another template with chat_template=…"
    )


def most_is_cut(situation: Situation) -> str | None:
    """More than half of the rows do not fit."""
    rows = rows_of(situation.report)
    if rows["cut"] <= MOST * max(1, rows["kept"] + rows["cut"]) or situation.recipe.stage == "pretrain":
        return None
    return (
        f"{rows['cut']:,} of {rows['read']:,} rows are cut to {situation.limit:,} tokens: raise max_length, or set "
        "overlong=split or overlong=drop"
    )


def many_are_there_again(situation: Situation) -> str | None:
    """More than a tenth of the rows say what an earlier one says, and are kept."""
    duplicates, read = situation.report.get("duplicates", {}), rows_of(situation.report)["read"]
    again = sum(duplicates.values())
    if situation.recipe.data.duplicates != "keep" or again <= AGAIN * read:
        return None
    return (
        f"{again:,} of {read:,} rows have the text of an earlier one, or almost, and count as often in the loss: set "
        "data.duplicates=drop-exact or drop-near, unless that is meant"
    )


CAUTIONS: tuple[Caution, ...] = (
    memory_is_short,
    serving_differs,
    markers_are_cut,
    stop_token_is_new,
    rate_is_unusual,
    most_is_cut,
    many_are_there_again,
)
