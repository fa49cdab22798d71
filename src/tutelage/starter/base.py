"""The starter's base model: where it lies in the package, its shape, and its tokenizer.

    python -m tutelage.starter.base FOLDER              config.json and the tokenizer, without weights
    tutelage tune recipes/starter-base.yaml output=…    the weights

`model=starter` is the folder `BASE`. docs/log.md tells what was tried; `python benchmarks/starter.py RUN`, how well a
run reads.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

BASE = Path(__file__).parent / "model"

WIDTH = 256
VOCABULARY = 4096
# Documents that the tokenizer learns its words from: enough for every word of the world to come a few times.
READ = 40_000


def write_blank(folder: Path, read: int = READ) -> None:
    """config.json and a tokenizer learnt from `read` documents of the world: `tutelage tune stage=pretrain
    model=FOLDER` draws the weights from its seed.
    """
    from tutelage.starter.architecture import starter_config
    from tutelage.starter.microworld.mixture import documents
    from tutelage.starter.tokenizer import train_tokenizer

    tokenizer = train_tokenizer(documents("tokenizer", count=read), VOCABULARY)
    _begin_every_text(tokenizer)
    config = starter_config(len(tokenizer), WIDTH)
    config.bos_token_id = tokenizer.bos_token_id
    config.eos_token_id = tokenizer.eos_token_id
    config.pad_token_id = tokenizer.pad_token_id
    config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _begin_every_text(tokenizer: PreTrainedTokenizerFast) -> None:
    """Puts the end token before every text too, as in GPT-2: so the first word is learnt as well, and a text can begin
    from nothing.
    """
    from tokenizers.processors import TemplateProcessing

    marks = [(tokenizer.eos_token, tokenizer.eos_token_id)]
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{tokenizer.eos_token} $A", special_tokens=marks
    )
    tokenizer.bos_token = tokenizer.eos_token


if __name__ == "__main__":
    write_blank(Path(sys.argv[1]))
