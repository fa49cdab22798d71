"""`tutelage quickstart`: a very small model is pretrained, tuned on instructions, and asked what no row told it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from tutelage.run.events import Event
    from tutelage.serve.answerer import Answerer
    from tutelage.starter.exam import Marks, Score
    from tutelage.starter.rows import Question

MARK = "quickstart.json"
RUNS = ("base", "tuned")
# Times the world's facts are told, each twice a round: enough to know nearly all of them.
ROUNDS = 40
PRETRAINING = (
    "train.epochs=1",
    "train.batch_tokens=1536",
    "train.optimizer=muon",
    "train.learning_rate=0.02",
    "train.beta1=0.95",
    "train.beta2=0.95",
    "train.dtype=float32",
)
TUNING = (
    "chat_template=plain",
    "train.epochs=1.5",
    "train.batch_size=32",
    "train.learning_rate=3e-4",
    "train.dtype=float32",
)
# Matrices this small keep no more threads busy.
THREADS = 4
LONGEST_ANSWER = 32
SHOWN_QUESTIONS = 8


def quickstart(
    output: Annotated[Path, typer.Option(help="A new folder, or one that quickstart made.")] = Path("runs/quickstart"),
    seed: Annotated[int, typer.Option(min=0, help="Of the text, the first weights and the order.")] = 0,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Pretrain a very small model, tune it on instructions, and see what that changed; in minutes, offline.

    tutelage quickstart
    """
    run_story(output, seed, ROUNDS)


def run_story(output: Path, seed: int, rounds: int, words: Sequence[str] = ()) -> None:
    """The story with `rounds` of pretraining text; `words` (`key=value`) go to both runs.

    Raises:
        UserError: `output` holds what quickstart did not make.
        Exit: with 130, after Ctrl-C.
    """
    from rich.console import Console

    from tutelage.starter.materials import NAMES, clear_folder, write_materials

    began = time.monotonic()
    console = Console(highlight=False)
    clear_folder(output, MARK, (*NAMES, *RUNS))
    (output / MARK).write_text(json.dumps({"seed": seed, "finished": False}) + "\n", encoding="utf-8")
    console.rule("1  a small world", align="left")
    questions = write_materials(output, rounds, seed)
    console.print(_WORLD.format(folder=output, questions=len(questions)))
    try:
        console.rule("2  pretraining: a model that has only read", align="left")
        base = ("stage=pretrain", f"model={output / 'blank'}", f"data={output / 'world.jsonl'}")
        _tune(console, (*base, f"output={output / 'base'}", *PRETRAINING, f"seed={seed}", *words))
        console.rule("3  instruction tuning: the same model learns to answer", align="left")
        tuned = (f"model={output / 'base'}", f"data={output / 'instructions.jsonl'}")
        _tune(console, (*tuned, f"output={output / 'tuned'}", *TUNING, f"seed={seed}", *words))
    except KeyboardInterrupt:
        _interrupted()
    console.rule("4  the exam: facts that no instruction row asked about", align="left")
    before, after = (Sitting.hold(output / run, questions) for run in RUNS)
    _show_exam(console, questions, before, after)
    figures = {"seed": seed, "finished": True, "before": asdict(before.marks), "after": asdict(after.marks)}
    (output / MARK).write_text(json.dumps({**figures, "known": asdict(before.known)}) + "\n", encoding="utf-8")
    console.print(_NEXT.format(folder=output, seconds=time.monotonic() - began))


_WORLD = """Facts about animals, things, tools, jobs, countries and words, told in plain English and a little Chinese:
{folder}/world.jsonl. Questions and answers about three quarters of them: {folder}/instructions.jsonl.
{questions} questions about the others are kept for the exam. Nothing is downloaded."""

_NEXT = """
All this took {seconds:.0f} s. Go on with

  tutelage chat {folder}/tuned            ask it yourself (only this world: it knows nothing else)
  {folder}/tuned/report.html              what happened in the run
  tutelage tune model=FOLDER_OR_HUB_ID data=ROWS.jsonl output=runs/first       a real run, on your rows"""


def _tune(console: Console, words: Sequence[str]) -> None:
    """One run, as the command that is shown would do it."""
    import torch

    from tutelage.cli.progress import shown
    from tutelage.run.events import Finished, Saved, Stopped
    from tutelage.run.recipe import load_recipe
    from tutelage.run.tune import tune

    torch.set_num_threads(min(THREADS, torch.get_num_threads()))
    console.print(f"tutelage tune {' '.join(words)}", style="cyan", soft_wrap=True)
    with shown(json=False, log_every=50) as show:

        def announce(event: Event) -> None:
            if not isinstance(event, (Finished, Saved)):
                show(event)

        try:
            tune(load_recipe(None, words), announce)
        except Stopped:
            raise KeyboardInterrupt from None


def _interrupted() -> None:
    sys.stderr.write("tutelage: Interrupted. The same command starts the story again.\n")
    raise typer.Exit(130) from None


@dataclass(frozen=True)
class Sitting:
    """What one model wrote in the exam. known: facts that it completes as plain text."""

    answers: list[str]
    marks: Marks
    known: Score

    @classmethod
    def hold(cls, model: Path, questions: Sequence[Question]) -> Sitting:
        """Ask the model in `model`: both models get the very same prompts, the question and a line feed."""
        from tutelage.serve.answerer import open_answerer
        from tutelage.starter.exam import mark, mark_openings

        answerer = open_answerer(str(model), chat_template="plain")
        answers = _written(answerer, [question.instruction for question in questions], raw=False)
        told = [question for question in questions if not question.fresh_wording]
        continuations = _written(answerer, [question.opening for question in told], raw=True)
        return cls(answers, mark(questions, answers), mark_openings(told, continuations))


def _written(answerer: Answerer, texts: Sequence[str], *, raw: bool) -> list[str]:
    """What the model writes after each text, always the likeliest token."""
    from tutelage.generate.settings import SamplingSettings
    from tutelage.records import Message, Part

    prompts = [answerer.prompt_ids([Message("user", (Part(text),))], raw=raw) for text in texts]
    settings = SamplingSettings(max_tokens=LONGEST_ANSWER)
    return [generated.text for generated in answerer.generator.complete(prompts, settings, batch_size=64)]


def _show_exam(console: Console, questions: Sequence[Question], before: Sitting, after: Sitting) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("question", "before tuning", "after tuning", show_lines=True)
    for question, old, new in list(zip(questions, before.answers, after.answers, strict=True))[:SHOWN_QUESTIONS]:
        right = new.strip() == question.answer
        verdict = Text(new, "green") if right else Text(f"{new}\n(right: {question.answer})", "red")
        table.add_row(Text(question.instruction), Text(old, "dim"), verdict)
    console.print(table)
    figures: list[tuple[str, Any, Any]] = [
        ("exactly the right sentence, in a wording that the rows have", before.marks.seen_wording, after.marks.seen_wording),
        ("exactly the right sentence, in a wording that no row has", before.marks.fresh_wording, after.marks.fresh_wording),
        ("the right sentence somewhere in what it writes", before.marks.mentioned, after.marks.mentioned),
        ("no question: the same facts, completed as plain text", before.known, after.known),
    ]
    marks = Table("held-out facts", "before tuning", "after tuning")
    for what, old, new in figures:
        marks.add_row(what, str(old), str(new))
    console.print(marks)
