"""Everything that a run on the starter's world needs, written into one folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from tutelage.errors import UserError
from tutelage.starter.architecture import write_architecture
from tutelage.starter.rows import SHIPPED, Question, held_out_questions
from tutelage.starter.tokenizer import train_tokenizer
from tutelage.starter.world import write_documents

TOKENIZER_ROUNDS = 8
NAMES = ("world.jsonl", "instructions.jsonl", "questions.jsonl", "blank")


def clear_folder(folder: Path, mark: str, names: Iterable[str]) -> None:
    """Makes the folder, or empties one that holds the file `mark` and nothing but it and `names`.

    Raises:
        UserError: something is there that this program did not make.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file: name a folder with --output.")
    folder.mkdir(parents=True, exist_ok=True)
    held = sorted(entry.name for entry in folder.iterdir())
    if held and mark not in held:
        raise UserError(f"{folder} is not empty and quickstart did not make it: name another folder with --output.")
    others = [name for name in held if name not in (mark, *names)]
    if others:
        raise UserError(
            f"{folder} also holds {others[0]}, which quickstart did not make: move it, or name another folder."
        )
    # The mark goes last: a folder half emptied is still known.
    for name in sorted(held, key=lambda name: name == mark):
        entry = folder / name
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def write_materials(folder: Path, rounds: int, seed: int) -> list[Question]:
    """Writes into `folder`, which must be there, what `NAMES` lists, and returns the held-out questions.

    world.jsonl: the pretraining text, a document a line. instructions.jsonl: the shipped rows. questions.jsonl: the
    held-out questions. blank/: config.json and a tokenizer, without weights. The tokenizer is made from the text and
    the rows' questions, so that question words are tokens too; it sees nothing of the held-out questions.
    """
    documents = list(write_documents(rounds, seed))
    rows = [json.loads(line) for line in SHIPPED.read_text(encoding="utf-8").splitlines()]
    questions = held_out_questions()
    _write_lines(folder / "world.jsonl", ({"text": document} for document in documents))
    _write_lines(folder / "questions.jsonl", map(asdict, questions))
    shutil.copyfile(SHIPPED, folder / "instructions.jsonl")
    asked = [f"{row['instruction']}\n{row['input']}" for row in rows]
    sample = documents[: len(documents) * TOKENIZER_ROUNDS // max(rounds, TOKENIZER_ROUNDS)]
    write_architecture(folder / "blank", train_tokenizer([*sample, *asked]))
    return questions


def _write_lines(path: Path, objects: Iterable[dict[str, object]]) -> None:
    lines = (json.dumps(one, ensure_ascii=False) + "\n" for one in objects)
    path.write_text("".join(lines), encoding="utf-8")
