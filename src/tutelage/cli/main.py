"""The command `tutelage`: finds the verb, imports what that verb alone needs, and turns its end into an exit code.

0 done · 1 a fault of ours · 2 the user's input · 130 interrupted, after saving
"""

from __future__ import annotations

import difflib
import os
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import tutelage
from tutelage.errors import UserError


@dataclass(frozen=True)
class Verb:
    """Where a verb's function is (module, name), and its line in `tutelage --help`.

    verbs: those that follow it (`tutelage tasks list`); it has no function then.
    """

    module: str
    function: str
    summary: str
    hidden: bool = False
    context: dict[str, Any] = field(default_factory=dict)
    verbs: Mapping[str, Verb] = field(default_factory=dict)


# `tutelage tune --train.epochs=3` is answered by us, with the right spelling, not as an unknown option.
LOOSE = {"ignore_unknown_options": True}
VERBS = {
    "quickstart": Verb(
        "tutelage.cli.quickstart", "quickstart", "The whole story in minutes, offline, on this machine."
    ),
    "tune": Verb("tutelage.cli.tune", "tune", "Tune a model on rows of instructions, or pretrain it.", context=LOOSE),
    "train": Verb("tutelage.cli.tune", "tune", "The same as tune.", hidden=True, context=LOOSE),
    "evaluate": Verb("tutelage.cli.evaluate", "evaluate", "Score a model on tasks, with intervals.", context=LOOSE),
    "study": Verb("tutelage.cli.study", "study", "Prove on held-out tasks what was learnt.", context=LOOSE),
    "chat": Verb("tutelage.cli.chat", "chat", "Talk with a model in the terminal."),
    "generate": Verb("tutelage.cli.generate", "generate", "Answer the prompts of a file, in bulk."),
    "tasks": Verb(
        "",
        "",
        "The catalog of tasks, and how each is asked.",
        verbs={
            "list": Verb("tutelage.cli.tasks", "list_tasks", "The tasks that can be named, by cluster."),
            "show": Verb("tutelage.cli.tasks", "show", "Everything about a task, and all its templates."),
            "render": Verb("tutelage.cli.tasks", "render", "A template on a row, as a model is asked."),
        },
    ),
    "data": Verb(
        "",
        "",
        "What would be trained on.",
        verbs={
            "inspect": Verb("tutelage.cli.data", "inspect", "Rows token by token, as a run has them.", context=LOOSE),
            "check": Verb(
                "tutelage.cli.data", "check", "How many rows are good, and why others are not.", context=LOOSE
            ),
            "cache": Verb("tutelage.cli.cache", "cache", "The token ids that runs keep, and how much they take."),
        },
    ),
}


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(words: Sequence[str]) -> int:
    """Run `tutelage` with these words; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that can't show a sign still shows the line
    debug = "--debug" in words
    try:
        chosen = _verb_of(words)
        leads_on = not chosen or (len(chosen) == 1 and VERBS[chosen[0]].verbs)
        args = [*words, "--help"] if leads_on and len(words) == len(chosen) else list(words)
        _application(chosen)(args=args, prog_name="tutelage")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except KeyboardInterrupt:
        return 130
    except UserError as error:
        return _refused(str(error), debug)
    except Exception as error:
        remedy = _remedy(error)
        return _refused(remedy, debug) if remedy else _our_fault(error, debug)
    return 0


def _verb_of(words: Sequence[str]) -> tuple[str, ...]:
    """The verb, and the one that follows it if it leads on to others; () where only options are given.

    Raises:
        UserError: there is no such verb; names the nearest.
    """
    if not words or words[0].startswith("-"):
        return ()
    word = words[0]
    if word not in VERBS and ("=" in word or word.endswith((".yaml", ".yml"))):
        raise UserError(f"{word} comes after a verb: tutelage tune {word} …")
    _refuse_unknown(word, VERBS)
    if not VERBS[word].verbs or len(words) == 1 or words[1].startswith("-"):
        return (word,)
    _refuse_unknown(words[1], VERBS[word].verbs, f"{word} ")
    return (word, words[1])


def _refuse_unknown(word: str, verbs: Mapping[str, Verb], before: str = "") -> None:
    if word in verbs:
        return
    shown = [before + name for name, verb in verbs.items() if not verb.hidden]
    near = difflib.get_close_matches(word.lower(), verbs, n=1, cutoff=0.5)
    advice = f"did you mean {before}{near[0]}?" if near else f"there are {', '.join(shown)}."
    raise UserError(f"There is no verb {before + word!r}: {advice}")


def _application(chosen: Sequence[str]) -> Any:
    """The typer command, in which only the chosen verb is imported; the others stand there with their line of help."""
    import typer

    app = typer.Typer(
        help="Instruction tuning that is correct, fast, and able to prove what was learnt.",
        epilog="tutelage tune model=FOLDER_OR_HUB_ID data=FILE output=FOLDER is the shortest way in.",
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def options(
        version: bool = typer.Option(
            False, "--version", help="Say which version this is.", callback=_version, is_eager=True
        ),
    ) -> None:
        pass

    _add(app, VERBS, chosen)
    return typer.main.get_command(app)


def _add(app: Any, verbs: Mapping[str, Verb], chosen: Sequence[str]) -> None:
    import typer

    for name, verb in verbs.items():
        if verb.verbs:
            group = typer.Typer(help=verb.summary)
            _add(group, verb.verbs, chosen[1:] if chosen[:1] == (name,) else ())
            app.add_typer(group, name=name)
            continue
        here = tuple(chosen) == (name,)
        function = getattr(import_module(verb.module), verb.function) if here else _elsewhere
        app.command(name, help=None if here else verb.summary, hidden=verb.hidden, context_settings=verb.context)(
            function
        )


def _elsewhere() -> None:
    """The place of a verb that was not asked for."""


def _version(asked: bool) -> None:
    import typer

    if asked:
        typer.echo(f"tutelage {tutelage.__version__}")
        raise typer.Exit


def _refused(sentence: str, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    _say(sentence if sentence.endswith((".", "?", "!", "…")) else f"{sentence}.")
    return 2


def _our_fault(error: Exception, debug: bool) -> int:
    first = (str(error).strip().splitlines() or [""])[0][:200]
    where = "--debug was given, so the traceback is above."
    if debug:
        traceback.print_exc()
    else:
        where = f"The traceback is in {_saved_traceback()}; --debug shows it here."
    _say(f"this is a fault of ours, and worth a report: {type(error).__name__}: {first}. {where}")
    return 1


def _saved_traceback() -> Path:
    handle, name = tempfile.mkstemp(prefix="tutelage-fault-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
        file.write(f"tutelage {tutelage.__version__}, python {sys.version}\n\n{traceback.format_exc()}")
    return Path(name)


def _remedy(error: Exception) -> str | None:
    """What the person can do about an error that no code of ours made: memory or disk that is used up."""
    text = str(error)
    out_of_memory = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    if out_of_memory or "can't allocate memory" in text:
        return (
            "Memory is used up: lower train.tokens_per_forest or max_length, set train.gradient_checkpointing=true, "
            "or tune an adapter (adapter=lora)."
        )
    if "No space left on device" in text:
        return "The disk is full: free some space, then go on with the same command and resume=true."
    return None


def _say(sentence: str) -> None:
    rank = os.environ.get("RANK", "0")
    who = "tutelage" if rank == "0" else f"tutelage (rank {rank})"
    sys.stderr.write(f"{who}: {sentence}\n")


if __name__ == "__main__":
    main()
