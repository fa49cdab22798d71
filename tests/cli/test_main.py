"""The command: verbs, exit codes, what it imports, and what it says of its own faults."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tutelage
from tutelage.cli import main
from tutelage.errors import UserError

HEAVY = ("torch", "transformers", "peft", "accelerate", "datasets", "numpy", "matplotlib", "yaml", "jinja2", "pydantic")


def heavy_imports(*words: str) -> str:
    """What a process that runs `tutelage WORDS` has imported of the heavy packages."""
    code = (
        "import sys\nfrom tutelage.cli.main import run\n"
        f"code = run({list(words)!r})\nprint('LOADED', code, [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_help_version_and_a_wrong_verb_import_nothing_heavy() -> None:
    assert heavy_imports("--help") == "LOADED 0 []"
    assert heavy_imports("--version") == "LOADED 0 []"
    assert heavy_imports("tuen") == "LOADED 2 []"


PHRASES = [(name,) for name in main.VERBS] + [(name, one) for name, verb in main.VERBS.items() for one in verb.verbs]


@pytest.mark.parametrize("verb", PHRASES)
def test_the_help_of_a_verb_imports_nothing_heavy(verb: tuple[str, ...]) -> None:
    assert heavy_imports(*verb, "--help") in ("LOADED 0 []", "LOADED 0 ['pydantic']")  # which typer itself imports


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_lists_the_verbs(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(words) == 0
    shown = capsys.readouterr().out
    for name, verb in main.VERBS.items():
        assert (f" {name} " in shown) != verb.hidden, name


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"]) == 0
    assert capsys.readouterr().out == f"tutelage {tutelage.__version__}\n"


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("tuen", "There is no verb 'tuen': did you mean tune?"),
        ("trian", "There is no verb 'trian': did you mean train?"),
        ("CHAT", "There is no verb 'CHAT': did you mean chat?"),
        ("zzzz", "There is no verb 'zzzz': there are quickstart, tune, evaluate, study, chat, generate, tasks, data."),
        ("model=m", "model=m comes after a verb: tutelage tune model=m …"),
        ("r.yaml", "r.yaml comes after a verb: tutelage tune r.yaml …"),
    ],
)
def test_a_mistaken_verb_is_answered_in_one_line(word: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([word]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"tutelage: {sentence}\n")


@pytest.fixture
def verb_that(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Makes `tutelage tune` raise something."""

    def install(error: BaseException) -> None:
        def tune(words: list[str] | None = None, debug: bool = False) -> None:
            raise error

        monkeypatch.setattr("tutelage.cli.tune.tune", tune)

    return install


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UserError("no rows in a.json"), 2, "tutelage: no rows in a.json.\n"),
        (UserError("Did you mean b?"), 2, "tutelage: Did you mean b?\n"),
        (KeyboardInterrupt(), 130, ""),
        (MemoryError(), 2, "tutelage: Memory is used up: lower train.tokens_per_forest"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), 2, "tutelage: Memory is used up"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "tutelage: The disk is full: free some space"),
    ],
)
def test_ends(
    verb_that: Callable[[BaseException], None],
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    said: str,
) -> None:
    verb_that(error)
    assert main.run(["tune"]) == code
    shown = capsys.readouterr().err
    assert shown.startswith(said)
    assert shown.count("\n") <= 1


def test_a_fault_of_ours_is_one_line_and_a_saved_traceback(
    verb_that: Callable[[BaseException], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    verb_that(ValueError("first line\nsecond"))
    assert main.run(["tune"]) == 1
    said = capsys.readouterr().err
    (saved,) = tmp_path.iterdir()
    assert said == (
        "tutelage: this is a fault of ours, and worth a report: ValueError: first line. "
        f"The traceback is in {saved}; --debug shows it here.\n"
    )
    assert "Traceback" in saved.read_text("utf-8")
    assert "second" in saved.read_text("utf-8")


def test_debug_shows_the_traceback(
    verb_that: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    verb_that(ValueError("broken"))
    assert main.run(["tune", "--debug"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("Traceback")
    assert said.endswith("--debug was given, so the traceback is above.\n")


def test_other_ranks_say_who_they_are(
    verb_that: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "3")
    verb_that(UserError("no."))
    assert main.run(["tune"]) == 2
    assert capsys.readouterr().err == "tutelage (rank 3): no.\n"


def test_every_verb_that_is_listed_is_there() -> None:
    from importlib import import_module

    for verb in main.VERBS.values():
        for one in verb.verbs.values() or [verb]:
            assert callable(getattr(import_module(one.module), one.function))


@pytest.mark.parametrize("name", [name for name, verb in main.VERBS.items() if verb.verbs])
@pytest.mark.parametrize("more", [[], ["--help"], ["-h"]])
def test_a_verb_that_leads_on_to_others_lists_them(
    name: str, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run([name, *more]) == 0
    shown = capsys.readouterr().out
    assert f"tutelage {name} [OPTIONS]" in shown
    for one, verb in main.VERBS[name].verbs.items():
        assert f" {one} " in shown
        assert verb.summary in shown


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["tasks", "lst"], "There is no verb 'tasks lst': did you mean tasks list?"),
        (["tasks", "rte"], "There is no verb 'tasks rte': there are tasks list, tasks show, tasks render."),
        (["data", "INSPECT"], "There is no verb 'data INSPECT': did you mean data inspect?"),
    ],
)
def test_a_mistake_in_the_second_verb(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(words) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"tutelage: {sentence}\n")


def test_the_installed_command_exits_with_the_code() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tutelage.cli.main", "tune", "model=m", "data=nowhere.jsonl", "output=o"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("tutelage: data.sources.0.path=nowhere.jsonl is not there: ")
