"""Words whose ids are known: most of a text is words met before, and looking them up takes a fifth of encoding them.

A byte-level BPE first cuts a text at its added tokens, then into words by a regular expression, and encodes each word
for itself. For the expressions in use (GPT-2's, Llama 3's, Qwen2's) the same is done here, for ASCII text only, where
what is a letter, a digit, a blank is beyond doubt and normalisation changes nothing. Each word is encoded by the
tokenizer when it is first met. Everything else goes to the tokenizer whole, and so does all text of a tokenizer that
is built otherwise, or that gives other ids for any of a few hundred trial texts.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

KNOWN_WORDS = 200_000  # so many are remembered
TRIALS = 200
_BLANK = r" \t\n\r\x0b\x0c"
# As tokenizer files have them, and for ASCII: \p{L} is A-Za-z, \p{N} is 0-9, \s is _BLANK.
_END = rf"|[{_BLANK}]+(?![^{_BLANK}])|[{_BLANK}]+"
_SUFFIX = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_ASCII_SUFFIX = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\nA-Za-z0-9]?[A-Za-z]+|"
_ASCII_REST = rf"| ?[^{_BLANK}A-Za-z0-9]+[\r\n]*|[{_BLANK}]*[\r\n]+{_END}"
GPT2 = rf"'s|'t|'re|'ve|'m|'ll|'d| ?[A-Za-z]+| ?[0-9]+| ?[^{_BLANK}A-Za-z0-9]+{_END}"
SPLITS = {
    rf"{_SUFFIX}\p{{N}}{{1,3}}{_REST}": rf"{_ASCII_SUFFIX}[0-9]{{1,3}}{_ASCII_REST}",  # Llama 3
    rf"{_SUFFIX}\p{{N}}{_REST}": rf"{_ASCII_SUFFIX}[0-9]{_ASCII_REST}",  # Qwen2
}


class WordCache:
    """The words of one tokenizer."""

    def __init__(self, backend: Any, words: str, added: Mapping[str, int]) -> None:
        """backend: of `tokenizers`. words: finds the words of an ASCII text. added: the added tokens with their ids."""
        self._backend = backend
        self._find = re.compile(words).findall
        self._added = dict(added)
        longest_first = sorted(added, key=len, reverse=True)
        self._cut = re.compile(f"({'|'.join(map(re.escape, longest_first))})").split if added else lambda text: [text]
        self._known: dict[str, list[int]] = {}

    @classmethod
    def of(cls, backend: Any, added: Mapping[str, Any]) -> WordCache | None:
        """For a tokenizer of a known kind; added: its added tokens. None for others."""
        words = _words_of(backend)
        plain = all(not (one.normalized or one.lstrip or one.rstrip or one.single_word) for one in added.values())
        if words is None or not plain:
            return None
        made = cls(backend, words, {token: backend.token_to_id(token) for token in added})
        trials = _trials(list(added))
        found = [one.ids for one in backend.encode_batch_fast(trials, add_special_tokens=False)]
        return made if made.ids(trials) == found else None

    def ids(self, texts: Sequence[str]) -> list[list[int] | None]:
        """The ids of each text, without what a tokenizer puts before or after it; None where it must be asked."""
        return [self._ids(text) if text.isascii() else None for text in texts]

    def _ids(self, text: str) -> list[int] | None:
        known, find = self._known, self._find
        found: list[int] = []
        for place, part in enumerate(self._cut(text)):
            if place % 2:
                found.append(self._added[part])
                continue
            for word in find(part):
                try:
                    found += known[word]
                except KeyError:
                    if find(word) != [word]:  # it would be cut otherwise alone
                        return None
                    found += self._learn(word)
        return found

    def _learn(self, word: str) -> list[int]:
        if len(self._known) >= KNOWN_WORDS:
            self._known.clear()
        ids: list[int] = self._backend.encode(word, add_special_tokens=False).ids
        self._known[word] = ids
        return ids


def _words_of(backend: Any) -> str | None:
    """What finds the words of a tokenizer in ASCII text; None where it does not work that way."""
    model = backend.model
    if type(model).__name__ != "BPE" or model.dropout or model.continuing_subword_prefix or model.end_of_word_suffix:
        return None
    if _state(backend.normalizer) not in (None, {"type": "NFC"}):
        return None
    steps = _state(backend.pre_tokenizer) or {}
    parts = steps["pretokenizers"] if steps.get("type") == "Sequence" else [steps]
    last = parts[-1]
    if last.get("type") != "ByteLevel" or last["add_prefix_space"]:
        return None
    if len(parts) == 1:
        return GPT2 if last["use_regex"] else None
    first = parts[0]
    if len(parts) != 2 or last["use_regex"] or first.get("type") != "Split":
        return None
    if first["behavior"] != "Isolated" or first["invert"]:
        return None
    return SPLITS.get(first["pattern"].get("Regex"))


def _state(part: Any) -> dict[str, Any] | None:
    if part is None:
        return None
    found: dict[str, Any] = json.loads(part.__getstate__())
    return found


def _trials(added: Sequence[str]) -> list[str]:
    """Texts of all ASCII characters, with what the expressions are about: suffixes, blanks, numbers, added tokens."""
    dice = random.Random(0)
    pieces = [
        "'s",
        "'RE",
        "don't",
        "  ",
        "\n",
        "\r\n",
        "\n\n ",
        "\t",
        "1234567",
        "a",
        "The",
        " word",
        "?!",
        ".\n",
        *added,
    ]
    pieces += [chr(point) for point in range(128)]
    return ["".join(dice.choices(pieces, k=dice.randint(1, 30))) for _ in range(TRIALS)]
