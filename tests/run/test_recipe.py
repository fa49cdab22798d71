"""The recipe: from files, words and Python; every refusal in its sentence; what is written reads back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tutelage.errors import UserError
from tutelage.run.keys import nearest, nearest_key
from tutelage.run.peers import OUR_NAME
from tutelage.run.recipe import Recipe, build_recipe, flat_values, load_recipe, read_recipe, recipe_text, settings_keys

WORDS = ["model=m", "data=rows.jsonl", "output=o"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text("{}")
    return tmp_path


def load(*words: str) -> Recipe:
    return load_recipe(None, [*WORDS, *words])


def refusal(*words: str, text: str | None = None) -> str:
    path = None
    if text is not None:
        path = Path("r.yaml")
        path.write_text(text, "utf-8")
    with pytest.raises(UserError) as refused:
        load_recipe(path, words if text is not None else [*WORDS, *words])
    return str(refused.value)


def value(recipe: Recipe, key: str) -> Any:
    return flat_values(recipe)[key]


@pytest.mark.parametrize(
    ("word", "key", "expected"),
    [
        ("train.learning_rate=1e-4", "train.learning_rate", 1e-4),
        ("train.batch_size=1e3", "train.batch_size", 1000),
        ("train.epochs=2", "train.epochs", 2.0),
        ('train.epochs="2"', "train.epochs", 2.0),
        ("train.clip=null", "train.clip", None),
        ("output=007", "output", "007"),
        ("output=on", "output", "on"),
        ("output=1e-4", "output", "1e-4"),
        ("output=2026-11-20", "output", "2026-11-20"),
        (r"output=C:\new\train", "output", r"C:\new\train"),
        ("output=C:", "output", "C:"),
        ("output=a #b", "output", "a #b"),
        ("output=a: b", "output", "a: b"),
        ("output=[1", "output", "[1"),
        ("output=[1]", "output", "[1]"),
        ("output=*x", "output", "*x"),
        ("output='a b'", "output", "a b"),
        ("output=输出/一", "output", "输出/一"),
        ("model=no", "model", "no"),
        ("resume=yes", "resume", True),
        ("train.trackers=wandb", "train.trackers", ["wandb"]),
        ("train.trackers=wandb,mlflow", "train.trackers", ["wandb", "mlflow"]),
        ("train.trackers=[wandb, mlflow]", "train.trackers", ["wandb", "mlflow"]),
        ("adapter=lora", "adapter.kind", "lora"),
        ("adapter.rank=8", "adapter.rank", 8),
        ("adapter.targets=q_proj", "adapter.targets", ["q_proj"]),
        ("adapter.targets=all-linear", "adapter.targets", "all-linear"),
        ("data.sources.0.limit=10", "data.sources.0.limit", 10),
        ("data.sources=rows.jsonl", "data.sources.0.path", "rows.jsonl"),
        ("data={max_quarantine: 0.5}", "data.max_quarantine", 0.5),
        ("train={epochs: 1}", "train.epochs", 1.0),
        ("data.validation=0.1", "data.validation", 0.1),
        ("data.validation=10", "data.validation", 10),
        ("data.validation=rows.jsonl", "data.validation", "rows.jsonl"),
        ("freeze.last_layers=2", "freeze.last_layers", 2),
    ],
)
def test_words(word: str, key: str, expected: object) -> None:
    found = value(load(word), key)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("learning_rate=1", "Unknown key learning_rate (on the command line): did you mean train.learning_rate?"),
        (
            "train.lerning_rate=1",
            "Unknown key train.lerning_rate (on the command line): did you mean train.learning_rate?",
        ),
        ("lerning_rate=1", "Unknown key lerning_rate (on the command line): did you mean train.learning_rate?"),
        ("lora_rank=1", "Unknown key lora_rank (on the command line): did you mean adapter.rank?"),
        (
            "data.sources.0.limt=1",
            "Unknown key data.sources.0.limt (on the command line): did you mean data.sources.0.limit?",
        ),
        ("seed.x=2", "Unknown key seed.x (on the command line): did you mean seed?"),
        ("qqq=2", "Unknown key qqq (on the command line): the option --keys lists them all."),
        ("train.epochs=abc", "train.epochs=abc (on the command line) is refused: it takes a number > 0."),
        ("train.epochs=-1", "train.epochs=-1 (on the command line) is refused: it takes a number > 0."),
        ("train.epochs=inf", "train.epochs=inf (on the command line) is refused: it takes a number > 0."),
        ("train.epochs=.inf", "train.epochs=.inf (on the command line) is refused: it takes a number > 0."),
        ("train.epochs=nan", "train.epochs=nan (on the command line) is refused: it takes a number > 0."),
        ("train.epochs=true", "train.epochs=true (on the command line) is refused: it takes a number > 0."),
        ("train.epochs=null", "train.epochs=null (on the command line) is refused: it takes a number > 0."),
        ("train.epochs=[1]", "train.epochs=[…] (on the command line) is refused: it takes a number > 0."),
        ("train.epochs={a: 1}", "train.epochs={…} (on the command line) is refused: it takes a number > 0."),
        ("train.batch_size=2.5", "train.batch_size=2.5 (on the command line) is refused: it takes a whole number ≥ 1."),
        ("train.batch_size=", "train.batch_size is empty (on the command line): it takes a whole number ≥ 1."),
        ("seed=-1", "seed=-1 (on the command line) is refused: it takes a whole number ≥ 0 and < 4294967296."),
        ("resume=maybe", "resume=maybe (on the command line) is refused: it takes true or false."),
        (
            "train.schedule=cosin",
            "train.schedule=cosin (on the command line) is refused: it takes cosine, linear, constant or "
            "warmup-stable-decay: did you mean cosine?",
        ),
        (
            "train.trackers=wandbb",
            "train.trackers=wandbb (on the command line) is refused: it takes a list of tensorboard, wandb or mlflow: "
            "did you mean wandb?",
        ),
        ("adapter=loar", "adapter.kind=loar (on the command line) is refused: it takes lora: did you mean lora?"),
        (
            "train=3",
            "train=3 (on the command line) is refused: it takes the keys train.epochs, train.max_steps, "
            "train.batch_size, ….",
        ),
        (
            "data.sources.0.format=alpca",
            "data.sources.0.format=alpca (on the command line) is refused: there is no format 'alpca'; "
            "did you mean alpaca?",
        ),
        ("output=", "output is empty (on the command line): it takes a path."),
        (
            "train.epochs=[1",
            "train.epochs=[1 (on the command line) is not YAML; lists are written [a, b], groups {a: 1}.",
        ),
        (
            "data.sources.2.limit=1",
            "data.sources.2 (on the command line) is past the end of a list of 1: places count from 0.",
        ),
        (
            "--train.epochs=3",
            "Unknown option --train.epochs: settings are written without dashes, such as train.epochs=3.",
        ),
        (
            "--learning-rate",
            "Unknown option --learning-rate: settings are written without dashes, such as train.learning_rate=VALUE.",
        ),
        ("runs", "'runs' is neither a recipe file that exists nor key=value."),
        ("train.epochs", "train.epochs has no value: write train.epochs=VALUE, without spaces."),
        ("a b=3", "'a b' in 'a b=3' is not the name of a key."),
        ("data=rows.jsnol", "data.sources.0.path=rows.jsnol is not there: did you mean rows.jsonl?"),
        ("data=none/rows.jsonl", "data.sources.0.path=none/rows.jsonl is not there: there is no folder none."),
        ("model=./rows.json", "model=./rows.json is not there: did you mean rows.jsonl?"),
        ("model=/nowhere/m", "model=/nowhere/m is not there: there is no folder /nowhere."),
        ("data=null", "The recipe lacks data (for example: data=rows.jsonl)."),
        ("model=", "model is empty (on the command line): it takes text."),
        ("model=' '", "model is empty: name a folder or a hub id, such as Qwen/Qwen3-0.6B."),
    ],
)
def test_refusals(word: str, sentence: str) -> None:
    assert refusal(word).startswith(sentence)
    assert "\n" not in refusal(word)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["adapter=lora", "freeze.last_layers=2"], "adapter and freeze can't both be given"),
        (["resume=true", "overwrite=true"], "resume=true continues the run in `output` and overwrite=true deletes it"),
        (["freeze={}"], "freeze leaves nothing to train"),
        (["from_scratch=true"], "from_scratch=true forgets all that the model knows"),
        (["stage=pretrain", "overlong=truncate-prompt"], "overlong=truncate-prompt is for conversations"),
        (["stage=pretrain", "objective.train_on=last"], "stage=pretrain learns everything"),
        (["data.validation=2.5"], "data.validation takes a share between 0 and 1"),
        (["data.validation=0"], "data.validation takes a share between 0 and 1"),
        (["data.validation=-3"], "data.validation takes a share between 0 and 1"),
        (["train.early_stopping=3"], "train.early_stopping needs a validation loss"),
        (["train.validate_every=3"], "train.validate_every needs something to validate on"),
        (["train.warmup=2.5"], "train.warmup is a share of all steps below 1, else a whole number"),
        (["train.max_steps=10", "train.warmup=10"], "train.warmup is as long as train.max_steps"),
        (["train.schedule=warmup-stable-decay", "train.warmup=0.5", "train.decay=0.6"], "train.warmup and train.decay"),
    ],
)
def test_keys_that_contradict_each_other(words: list[str], sentence: str) -> None:
    assert refusal(*words).startswith(sentence)


def test_everything_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(UserError) as refused:
        load_recipe(None)
    example = "model=Qwen/Qwen3-0.6B data=rows.jsonl output=runs/first"
    assert str(refused.value) == f"The recipe lacks model, data and output (for example: {example})."
    with pytest.raises(UserError, match=r"^The recipe lacks output \(for example: output=runs/first\)\.$"):
        load_recipe(None, WORDS[:2])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("model: m\ntrain:\n  optim: x", "Unknown key train.optim (r.yaml, line 3): did you mean train.optimizer?"),
        ("train:\n  epochs: no", "train.epochs=no (r.yaml, line 2) is refused: it takes a number > 0."),
        ("- a", "r.yaml is not a recipe: it must hold `key: value` lines, such as `model: Qwen/Qwen3-0.6B`."),
        ("model: [a]", "model=[…] (r.yaml, line 1) is refused: it takes text."),
        ("data:\n  sources:\n  - limit: 3\nmodel: m\noutput: o", "data.sources.0.path is missing (r.yaml, line 3)."),
        ("a: b: c", "r.yaml, line 1, column 5 is not YAML"),
        ("<<: {a: 1}", "Unknown key << (r.yaml, line 1)"),
        ("", "The recipe lacks model, data and output"),
    ],
)
def test_refusals_name_file_and_line(text: str, sentence: str) -> None:
    assert refusal(text=text).startswith(sentence)


def test_file_with_words_over_it() -> None:
    Path("r.yaml").write_text(
        "model: m\ndata: rows.jsonl\noutput: 2026\ntrain:\n  learning_rate: 1e-4\n  epochs: 1\nadapter: lora"
    )
    recipe = load_recipe(
        Path("r.yaml"), ["data.sources.0.limit=5", "train.epochs=2", "adapter.rank=4", "train.epochs=3"]
    )
    found = flat_values(recipe)
    assert (found["output"], found["train.learning_rate"], found["train.epochs"]) == ("2026", 1e-4, 3.0)
    assert (found["data.sources.0.limit"], found["adapter.kind"], found["adapter.rank"]) == (5, "lora", 4)


def test_a_word_for_the_whole_keeps_the_parts_beside_it() -> None:
    Path("r.yaml").write_text(
        "model: m\noutput: o\ndata: {sources: [a, b], validation: 5}\nadapter: {rank: 4}\ntrain:\n"
    )
    recipe = load_recipe(Path("r.yaml"), ["data.sources.0.limit=2", "data=rows.jsonl", "adapter=lora"])
    found = flat_values(recipe)
    assert (len(recipe.data.sources), found["data.sources.0.limit"], found["data.validation"]) == (1, 2, 5)
    assert found["adapter.rank"] == 4
    assert value(load_recipe(Path("r.yaml"), ["data=rows.jsonl", "adapter=null"]), "adapter") is None


def test_two_files() -> None:
    Path("二.json").write_text("[]")
    recipe = load("data=[rows.jsonl, 二.json]")
    assert [str(source.path) for source in recipe.data.sources] == ["rows.jsonl", "二.json"]


def test_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    recipe = load("data=~/rows.jsonl", "output=~/runs")
    assert recipe.data.sources[0].path == tmp_path / "rows.jsonl"
    assert recipe.output == tmp_path / "runs"


def test_python_values() -> None:
    recipe = build_recipe(
        {
            "model": "m",
            "data": ["rows.jsonl"],
            "output": Path("007"),
            "train": {"epochs": 1},
            "train.clip": None,
            "adapter.rank": 2,
        }
    )
    found = flat_values(recipe)
    assert (found["train.epochs"], found["train.clip"], found["adapter.rank"], found["output"]) == (1.0, None, 2, "007")
    with pytest.raises(UserError, match=r"^Unknown key epochs \(in Python\): did you mean train\.epochs\?$"):
        build_recipe({"model": "m", "data": "rows.jsonl", "output": "o", "epochs": 1})
    with pytest.raises(UserError, match=r"^train\.epochs=-1 \(in Python\) is refused"):
        build_recipe({"model": "m", "data": "rows.jsonl", "output": "o", "train.epochs": -1})


def test_a_recipe_of_parts_is_built_again_from_its_parts() -> None:
    recipe = load("adapter.rank=3")
    assert build_recipe(dict(recipe)) == recipe


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(lambda text: text.strip())
AWKWARD = st.sampled_from(
    ["1e-4", "on", "null", "~", "007", "0x1f", "1_0", "a: b", "'", '"', "# c", "- x", "\\", ".inf", "=", "0o17"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    model=TEXTS | AWKWARD,
    output=(TEXTS | AWKWARD).filter(lambda text: "\0" not in text and not text.startswith("~")),
    rate=st.none() | st.floats(min_value=1e-12, max_value=1e3),
    epochs=st.floats(min_value=1e-3, max_value=1e6),
    rank=st.none() | st.integers(1, 10**6),
    targets=st.lists(TEXTS | AWKWARD, max_size=3),
    validation=st.none()
    | st.floats(0.001, 0.999)
    | st.integers(1, 10**9)
    | AWKWARD.filter(lambda text: text != "~").map(Path),
)
def test_what_is_written_reads_back_equal(
    model: str, output: str, rate: float | None, epochs: float, rank: int | None, targets: list[str], validation: object
) -> None:
    recipe = Recipe.model_validate(
        {
            "model": model,
            "output": output,
            "data": {"sources": [{"path": output, "limit": rank}, {"path": "b"}], "validation": validation},
            "adapter": None if rank is None else {"rank": rank, "targets": targets},
            "train": {"learning_rate": rate, "epochs": epochs, "trackers": ["wandb"]},
        }
    )
    path = Path("written.yaml")
    path.write_bytes(recipe_text(recipe).encode())
    assert read_recipe(path) == recipe


def test_every_default_is_written_out() -> None:
    text = recipe_text(load())
    for name, key in settings_keys(Recipe).items():
        if not name.startswith(
            ("adapter.", "freeze.", "data.mixture.", "data.sources.0.columns.", "data.sources.0.tags.")
        ):
            assert f"{key.leaf}:" in text


def test_every_key_has_words_for_what_it_takes_and_means() -> None:
    for name, key in settings_keys(Recipe).items():
        assert key.takes, name
        assert name == "" or key.field.description, name


def test_names_of_other_tools_lead_to_keys_that_exist() -> None:
    keys = settings_keys(Recipe)
    for peer, ours in OUR_NAME.items():
        assert ours in keys, (peer, ours)
        assert nearest_key(peer, keys) == ours
        assert peer not in keys
    common = {
        "per_device_train_batch_size": "train.batch_size",
        "num_train_epochs": "train.epochs",
        "cutoff_len": "max_length",
        "lora_rank": "adapter.rank",
        "dataset": "data",
        "model_name_or_path": "model",
        "finetuning_type": "adapter",
        "output-dir": "output",
        "--lr": "train.learning_rate",
        "training.lora_alpha": "adapter.alpha",
    }
    assert {name: nearest_key(name, keys) for name in common} == common


def test_nearest() -> None:
    assert nearest("cosin", ["linear", "cosine"]) == "cosine"
    assert nearest("zzz", ["linear", "cosine"]) is None


def test_recipes_are_read_without_torch() -> None:
    code = (
        "import sys, tutelage.run.recipe as r\n"
        "try: r.load_recipe(None, ['model=m', 'data=nowhere.jsonl', 'output=o'])\n"
        "except r.UserError as e: print(e)\n"
        "print([name for name in ('torch', 'transformers', 'datasets', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "nowhere.jsonl is not there" in done.stdout
    assert done.stdout.endswith("[]\n")


@pytest.mark.parametrize("break_", ["\n", "\r", "\x85", "\u2028", "\u2029"])
def test_line_breaks_in_a_name_survive(break_: str, tmp_path: Path) -> None:
    made = Recipe.model_validate(
        {"model": f"a{break_}b{break_}{break_}c", "data": {"sources": [{"path": "r.jsonl"}]}, "output": "runs/first"}
    )
    path = tmp_path / "recipe.yaml"
    path.write_text(recipe_text(made), "utf-8")
    assert read_recipe(path) == made


def test_sources_may_be_folders_patterns_names_of_a_registry_and_of_the_hub(tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / "rows" / name).write_text('{"instruction": "A", "output": "a"}')
    (tmp_path / "dataset_info.json").write_text('{"mine": {"file_name": "rows/a.jsonl"}}')
    for word in (str(tmp_path / "rows"), str(tmp_path / "rows" / "*.jsonl"), "owner/talks"):
        assert load("model=m", f"data={word}", "output=o").data.sources[0].path == Path(word)
    recipe = load("model=m", "data=mine", f"data.registry={tmp_path / 'dataset_info.json'}", "output=o")
    assert recipe.data.sources[0].path == tmp_path / "rows" / "a.jsonl"
    (tmp_path / "recipe.yaml").write_text(recipe_text(recipe))
    assert read_recipe(tmp_path / "recipe.yaml") == recipe, "also once its names are looked up"
    with pytest.raises(UserError, match="no file matches"):
        load("model=m", f"data={tmp_path}/*.csv", "output=o")
    with pytest.raises(UserError, match=r"has no data set mien: did you mean mine\?"):
        load("model=m", "data=mien", f"data.registry={tmp_path / 'dataset_info.json'}", "output=o")
