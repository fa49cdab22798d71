"""Token ids as text, while they come."""

from __future__ import annotations

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

UNFINISHED = "\ufffd"
"""What a decoder puts for bytes that are no character, or not yet one."""


def text_of(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    """The text of these ids, without special tokens, and with the spaces that the tokens have."""
    text: str = tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text


class TextStream:
    """Pieces of text whose concatenation is `text_of` all ids: no piece ends inside a character.

    One exception: tokenizers with byte fallback (Llama 2's) turn a whole run of byte tokens into marks when one of
    them is broken. A character that was told already stays.

    A Chinese character or an emoji often takes several tokens; the first ones give "", the last one gives it whole.
    Each piece is decoded after the tokens of the piece before, because decoders treat a first token differently.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        """Nothing said yet."""
        self._tokenizer = tokenizer
        self._told: list[int] = []
        self._held: list[int] = []

    def push(self, token: int) -> str:
        """The text that this token completes."""
        self._held.append(token)
        return self._piece(final=False)

    def finish(self) -> str:
        """What is still held back: bytes that never became a character."""
        return self._piece(final=True)

    def _piece(self, final: bool) -> str:
        before = text_of(self._tokenizer, self._told)
        text = text_of(self._tokenizer, self._told + self._held)
        if len(text) <= len(before) or (text.endswith(UNFINISHED) and not final):
            return ""
        self._told, self._held = self._held, []
        return text[len(before) :]
