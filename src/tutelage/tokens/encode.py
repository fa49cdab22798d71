"""Records to examples: the leaves of each, and what became of it. Every record meets exactly one fate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

from tutelage.errors import UserError
from tutelage.records import Completion, Conversation, Document, Leaf, Record
from tutelage.tokens.chat import HOLDS_SPECIAL, ChatFormat, TrainOn, supervised_turns
from tutelage.tokens.overlong import Overlong, chunks, split_turns, truncate_prompt
from tutelage.tokens.rendering import Refused
from tutelage.tokens.vocabulary import Vocabulary

Fate = Literal["kept", "cut", "dropped", "quarantined"]
OverlongChoice = Literal["truncate-prompt", "split", "drop", "error"]

NOTHING_LEARNT = "no assistant turn of it is learnt"
TOO_LONG = "it is longer than max_length"
ANSWER_TOO_LONG = "the answer, with the shortest prompt, is longer than max_length"
SHORTENED = "the oldest turns, or the end of the question, were left out to fit max_length"
PROMPT_SHORTENED = "the start of the prompt was left out to fit max_length"
SPLIT = "split at turn boundaries to fit max_length"
CHUNKED = "split mid-text to fit max_length; no token is lost"
SPLIT_WITH_LOSS = "split at turn boundaries; turns longer than max_length were left out"


@dataclass(frozen=True, slots=True)
class Encoded:
    """What became of a record: its examples (lists of leaves that stay together), its fate, why if not just kept."""

    examples: list[list[Leaf]]
    fate: Fate
    reason: str | None = None


class Encoder:
    """Records to examples of at most `max_length` tokens a leaf (None: any length).

    chat: needed for conversations only. An example is a list of leaves: one record gives one, more where it is split.
    Raises UserError: a conversation without `chat`, a raw text without an end token; Overlong where `overlong` is
    "error".
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        chat: ChatFormat | None,
        train_on: TrainOn = "assistant",
        max_length: int | None = None,
        overlong: OverlongChoice = "truncate-prompt",
    ) -> None:
        """Raises UserError for a max_length below 2: a leaf is a token and what follows it."""
        if max_length is not None and max_length < 2:
            raise UserError(f"max_length={max_length} leaves nothing to learn: give at least 2.")
        self.vocabulary = chat.vocabulary if chat else Vocabulary(tokenizer)
        self.chat = chat
        self.train_on: TrainOn = train_on
        self.max_length = max_length
        self.overlong: OverlongChoice = overlong

    def encode(self, record: Record) -> Encoded:
        """The fate of one record; `encode_many` is much faster for many."""
        return self.encode_many([record])[0]

    def encode_many(self, records: Sequence[Record]) -> list[Encoded]:
        """The fates of records, in their order: what is of one kind goes to the tokenizer together."""
        kinds: dict[type, Callable[[Any], list[Encoded]]] = {
            Conversation: self._conversations,
            Completion: self._completions,
            Document: self._documents,
        }
        fates: dict[int, Encoded] = {}
        for kind, encode in kinds.items():
            places = [place for place, record in enumerate(records) if isinstance(record, kind)]
            if places:
                try:
                    fates.update(zip(places, encode([records[place] for place in places]), strict=True))
                except Overlong as found:
                    raise Overlong(found.length, found.max_length, places[found.place]) from None
        return [fates[place] for place in range(len(records))]

    # Conversations

    def _conversations(self, conversations: Sequence[Conversation]) -> list[Encoded]:
        if self.chat is None:
            raise UserError(
                "The rows are conversations, but no chat template is set: say chat_template=chatml, for one."
            )
        found = self.chat.leaves_of_many(conversations, self.train_on)
        return [self._conversation(*pair, place) for place, pair in enumerate(zip(conversations, found, strict=True))]

    def _conversation(self, conversation: Conversation, leaves: list[Leaf] | Refused, place: int) -> Encoded:
        if isinstance(leaves, Refused):
            return Encoded([], "quarantined", leaves.reason)
        if not leaves:
            return Encoded([], "dropped", NOTHING_LEARNT)
        length = _longest(leaves)
        if self.max_length is None or length <= self.max_length:
            return Encoded([leaves], "kept")
        if self.overlong == "drop":
            return Encoded([], "dropped", TOO_LONG)
        if self.overlong == "error":
            raise Overlong(length, self.max_length, place)
        conversation = pinned(conversation, self.train_on)
        try:
            return (self._truncated if self.overlong == "truncate-prompt" else self._split)(
                conversation, self.max_length
            )
        except Refused as refusal:  # a template may take the whole, and not a part of it
            return Encoded([], "quarantined", refusal.reason)

    def _truncated(self, conversation: Conversation, max_length: int) -> Encoded:
        shorter = truncate_prompt(conversation, max_length, self._length)
        if shorter is not None:
            return Encoded([self._leaves(shorter)], "cut", SHORTENED)
        return Encoded([], "dropped", ANSWER_TOO_LONG)

    def _split(self, conversation: Conversation, max_length: int) -> Encoded:
        pieces, too_long = split_turns(conversation, max_length, self._length)
        examples = [self._leaves(piece) for piece in pieces]
        if not examples:
            return Encoded([], "dropped", TOO_LONG)
        return Encoded(examples, "cut", SPLIT_WITH_LOSS if too_long else SPLIT)

    def _leaves(self, conversation: Conversation) -> list[Leaf]:
        """Of a pinned conversation, or a part of one."""
        if self.chat is None:
            raise AssertionError("conversations were refused before")
        return self.chat.leaves(conversation, "everything" if self.train_on == "everything" else "messages")

    def _length(self, conversation: Conversation) -> int:
        return _longest(self._leaves(conversation))

    # Raw text

    def _completions(self, completions: Sequence[Completion]) -> list[Encoded]:
        prompts = self.vocabulary.raw_ids([one.prompt for one in completions])
        wholes = self.vocabulary.raw_ids([one.prompt + one.completion for one in completions])
        found = zip(completions, prompts, wholes, range(len(completions)), strict=True)
        return [self._completion(*each) for each in found]

    def _completion(self, record: Completion, prompt: list[int], whole: list[int], place: int) -> Encoded:
        refusal = self._refusal(f"{record.prompt}\0{record.completion}")
        if refusal or not record.completion.strip():
            return Encoded([], "quarantined", refusal or "the completion is empty")
        answer = [*self.vocabulary.continuation(prompt, whole, record.completion), self._end()]
        length = len(prompt) + len(answer)
        if self.max_length is None or length <= self.max_length:
            return Encoded([[self._raw_leaf(prompt, answer)]], "kept")
        if self.overlong == "error":
            raise Overlong(length, self.max_length, place)
        if self.overlong != "truncate-prompt":
            return Encoded([], "dropped", TOO_LONG)
        # The end of a raw prompt ("Answer:") asks for the completion, so its start is left out, but for the beginning
        # token.
        first = prompt[:1] if self.vocabulary.begins_with_bos else []
        room = self.max_length - len(answer) - len(first)
        if room < 1:
            return Encoded([], "dropped", ANSWER_TOO_LONG)
        return Encoded([[self._raw_leaf([*first, *prompt[-room:]], answer)]], "cut", PROMPT_SHORTENED)

    def _raw_leaf(self, prompt: list[int], answer: list[int]) -> Leaf:
        start = 1 if self.train_on == "everything" else max(1, len(prompt))
        return Leaf(np.array([*prompt, *answer], np.int32), start)

    def _documents(self, documents: Sequence[Document]) -> list[Encoded]:
        found = zip(
            documents, self.vocabulary.raw_ids([one.text for one in documents]), range(len(documents)), strict=True
        )
        return [self._document(*each) for each in found]

    def _document(self, record: Document, text_ids: list[int], place: int) -> Encoded:
        refusal = self._refusal(record.text)
        if refusal or not record.text.strip():
            return Encoded([], "quarantined", refusal or "the text is empty")
        ids = np.array([*text_ids, self._end()], np.int32)
        if self.max_length is not None and len(ids) > self.max_length:
            if self.overlong == "error":
                raise Overlong(len(ids), self.max_length, place)
            if self.overlong == "drop":
                return Encoded([], "dropped", TOO_LONG)
        # Chunks lose nothing, whichever way of shortening is asked for: there is no prompt that could be left out.
        examples = [[Leaf(ids[part], 1)] for part in chunks(len(ids), self.max_length or len(ids))]
        return Encoded(examples, "cut", CHUNKED) if len(examples) > 1 else Encoded(examples, "kept")

    def _refusal(self, text: str) -> str | None:
        token = self.vocabulary.special_in(text)
        return None if token is None else HOLDS_SPECIAL.format(token=token)

    def _end(self) -> int:
        if self.vocabulary.eos_id is None:
            raise UserError("The tokenizer has no end token (eos_token), which raw text must end in.")
        return self.vocabulary.eos_id


def pinned(conversation: Conversation, train_on: TrainOn) -> Conversation:
    """The conversation up to its last learnt turn, each message saying whether it is learnt.

    So a part of it teaches what the whole would have taught, not, say, another "last" turn.
    """
    places = supervised_turns(conversation.messages, train_on)
    messages = conversation.messages[: places[-1] + 1]
    pinned_ = tuple(replace(one, train=place in places) for place, one in enumerate(messages))
    return replace(conversation, messages=pinned_)


def _longest(leaves: Sequence[Leaf]) -> int:
    return max((len(leaf.ids) for leaf in leaves), default=0)
