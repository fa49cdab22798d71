"""All that shapes token ids beside the rows: what another process makes the same encoder of, what keys a cache."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

import orjson

from tutelage.tokens.chat import ChatFormat, TrainOn
from tutelage.tokens.encode import Encoder, OverlongChoice

_DATE = re.compile(r"""strftime_now\(\s*(?:"([^"]*)"|'([^']*)')\s*\)""")
_ASKS_DATE = "strftime_now"


class DatedChatFormat(ChatFormat):
    """A chat format whose template writes one date, whenever it is asked."""

    def __init__(self, tokenizer: Any, template: str, written: datetime) -> None:
        """written: the date. Raises UserError as `ChatFormat` does."""
        self.written = written
        super().__init__(tokenizer, template, now=lambda: written)


@dataclass(frozen=True)
class Terms:
    """How an encoder encodes. template: None: it has no chat format. written: the date that the template writes."""

    tokenizer: Any
    template: str | None
    written: datetime | None
    train_on: TrainOn
    max_length: int | None
    overlong: OverlongChoice

    @classmethod
    def of(cls, encoder: Encoder) -> Terms | None:
        """Of an encoder; None where they can't be told: a slow tokenizer, or a template that may ask for any date."""
        tokenizer = encoder.vocabulary.tokenizer
        template = encoder.chat.template if encoder.chat else None
        written = encoder.chat.written if isinstance(encoder.chat, DatedChatFormat) else None
        if not tokenizer.is_fast or (written is None and _ASKS_DATE in (template or "")):
            return None
        return cls(tokenizer, template, written, encoder.train_on, encoder.max_length, encoder.overlong)

    def encoder(self) -> Encoder:
        """One that encodes so."""
        chat = None
        if self.template is not None:
            chat = DatedChatFormat(self.tokenizer, self.template, self.written or datetime.min)
        return Encoder(self.tokenizer, chat, self.train_on, self.max_length, self.overlong)

    def key(self) -> dict[str, Any]:
        """What tells these terms from others, as JSON."""
        return {
            "tokenizer": tokenizer_digest(self.tokenizer),
            "tokenizers": version("tokenizers"),
            "template": self.template,
            "date": self._date(),
            "train_on": self.train_on,
            "max_length": self.max_length,
            "overlong": self.overlong,
        }

    def _date(self) -> list[str]:
        """What the template writes of the date, as far as its text says which: all of it where it does not."""
        template = self.template or ""
        if self.written is None or _ASKS_DATE not in template:
            return []
        forms = [double or single for double, single in _DATE.findall(template)]
        # `strftime_now is defined`, which many ask first, writes nothing.
        mentions = len(re.findall(rf"{_ASKS_DATE}(?!\s+is\s+(?:not\s+)?defined)", template))
        return [self.written.strftime(form) for form in forms] if len(forms) == mentions else [self.written.isoformat()]


def tokenizer_digest(tokenizer: Any) -> str:
    """SHA-256 of all that a fast tokenizer does with text: its own file, its named tokens."""
    backend = tokenizer.backend_tokenizer
    truncation, padding = backend.truncation, backend.padding
    backend.no_truncation()  # encoding switches both off as well, so that they are no part of it
    backend.no_padding()
    text = backend.to_str()
    if truncation is not None:
        backend.enable_truncation(**truncation)
    if padding is not None:
        backend.enable_padding(**padding)
    told = [
        type(tokenizer).__name__,
        tokenizer.split_special_tokens,
        {name: str(value) for name, value in tokenizer.special_tokens_map.items()},
        sorted((number, repr(token)) for number, token in tokenizer.added_tokens_decoder.items()),
    ]
    digest = hashlib.sha256(text.encode())
    digest.update(orjson.dumps(told, option=orjson.OPT_NON_STR_KEYS))
    return digest.hexdigest()
