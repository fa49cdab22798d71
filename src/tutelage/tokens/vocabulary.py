"""A tokenizer as this room uses it: text to ids, exactly, in batches, and which tokens control a model.

Where the tokenizer has a fast backend, that is called directly: the wrapper around it costs more than the work for
short texts. Truncation and padding that a tokenizer's file may have switched on are switched off: nothing is cut here
in silence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tutelage.tokens.word_cache import WordCache

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# So few texts are encoded as they are: the first words of a tokenizer take a while.
MANY = 64
NEVER = re.compile(r"(?!)")

# Tried as the text before one that must be encoded alone: a blank that a tokenizer puts before every text then goes to
# them.
ANCHORS = ("\n", "a", "")


def _any_of(tokens: Sequence[str]) -> re.Pattern[str]:
    """A pattern of these strings, the longest first, since a tokenizer prefers the longest too."""
    longest_first = sorted(tokens, key=len, reverse=True)
    return re.compile("|".join(re.escape(token) for token in longest_first)) if tokens else NEVER


class Vocabulary:
    """What a tokenizer does with text, and its added tokens.

    bos_id, eos_id: ids or None. begins_with_bos: whether the tokenizer itself puts the former before a text.
    stops: finds the tokens that can end a turn: special and other added ones, but not those made of white space only,
    which some vocabularies add for runs of blanks.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        """Ask the tokenizer once what it is asked often."""
        self.tokenizer: Any = tokenizer
        fast = tokenizer.is_fast and not tokenizer.split_special_tokens
        self._backend: Any = tokenizer.backend_tokenizer if fast else None
        self.added: dict[str, Any] = {str(token): token for token in tokenizer.added_tokens_decoder.values()}
        self.bos_id: int | None = tokenizer.bos_token_id
        self.eos_id: int | None = tokenizer.eos_token_id
        special = {token for token, entry in self.added.items() if entry.special} | set(tokenizer.all_special_tokens)
        self._special = _any_of([token for token in special if token.strip()])
        self.stops = _any_of([token for token in {*special, *self.added} if token.strip()])
        self._adds = self._encode(["a"], add_special_tokens=True) != self._encode(["a"], add_special_tokens=False)
        self.begins_with_bos = self.bos_id is not None and self.raw_ids(["a"])[0][:1] == [self.bos_id]

    def id_of(self, token: str) -> int:
        """The id of a token of the vocabulary."""
        return int(self.tokenizer.convert_tokens_to_ids(token))

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of rendered texts: nothing is put before or after, since a template writes all there is."""
        return self._encode(texts, add_special_tokens=False)

    def raw_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of raw texts with what the tokenizer itself puts before them, without an end token after them."""
        found = self._encode(texts, add_special_tokens=True)
        return [ids[:-1] if ids and ids[-1] == self.eos_id else ids for ids in found]

    def continuation(self, before: list[int], both: list[int], text: str) -> list[int]:
        """The ids of a text in its place. before: of what stands before it; both: of the two together.

        Where its first characters would melt into the last token before it, it is encoded alone, so that the ids before
        it stay what they are when nothing follows yet, as in serving.
        """
        for anchor in ANCHORS:
            if both[: len(before)] == before:
                break
            before, both = self.ids([anchor, anchor + text])
        return both[len(before) :]

    def special_in(self, text: str) -> str | None:
        """The first special token that a text would become, if any."""
        found = self._special.search(text)
        return found.group() if found else None

    def splits_at(self, token: str) -> bool:
        """Whether what follows this token is encoded the same, whatever stands before the token.

        A fast tokenizer cuts a text at its added tokens before anything else and encodes the stretches between them
        independently. Not so where the token is looked for after normalisation, or takes blanks on its left with it.
        """
        entry = self.added.get(token)
        return (
            self._backend is not None
            and entry is not None
            and not (entry.normalized or entry.lstrip or entry.single_word)
        )

    @cached_property
    def _words(self) -> WordCache | None:
        return WordCache.of(self._backend, self.added)

    def _encode(self, texts: Sequence[str], *, add_special_tokens: bool) -> list[list[int]]:
        if self._backend is None:
            return [self.tokenizer.encode(text, add_special_tokens=add_special_tokens) for text in texts]
        if self._backend.truncation is not None:
            self._backend.no_truncation()
        if self._backend.padding is not None:
            self._backend.no_padding()
        self._backend.encode_special_tokens = False
        if len(texts) == 1:
            return [self._backend.encode(texts[0], add_special_tokens=add_special_tokens).ids]
        if len(texts) >= MANY and self._words is not None and not (add_special_tokens and self._adds):
            known = self._words.ids(texts)
            others = iter(self._batch([text for text, ids in zip(texts, known, strict=True) if ids is None], False))
            return [next(others) if ids is None else ids for ids in known]
        return self._batch(texts, add_special_tokens)

    def _batch(self, texts: Sequence[str], add_special_tokens: bool) -> list[list[int]]:
        return [
            found.ids for found in self._backend.encode_batch_fast(list(texts), add_special_tokens=add_special_tokens)
        ]
