"""`tutelage.run.rows`: files to examples, every row with its fate, and what is held back for validation."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiny import make_tokenizer
from tutelage.data.ledger import Ledger
from tutelage.errors import UserError
from tutelage.run.recipe import Recipe
from tutelage.run.rows import Rows, read_examples, refuse_unknown_ids
from tutelage.run.shards import TOGETHER
from tutelage.tokens.chat import ChatFormat
from tutelage.tokens.encode import Encoder
from tutelage.tokens.store import Examples


@pytest.fixture(scope="module")
def chat() -> ChatFormat:
    tokenizer = make_tokenizer()
    return ChatFormat(tokenizer, tokenizer.chat_template)


def row(number: int, **change: object) -> dict[str, object]:
    return {"instruction": f"Say {number}.", "input": "", "output": f"{number}.", **change}


def write(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in rows))
    return path


def read(
    chat: ChatFormat, *paths: Path, held: object = None, overlong: Any = "drop", max_length: int = 64, **data: Any
) -> tuple[Rows, dict[str, Any]]:
    """The rows, and data_report.json's content."""
    recipe = Recipe.model_validate(
        {
            "model": "m",
            "output": "o",
            "seed": data.pop("seed", 0),
            "data": {"sources": [{"path": path} for path in paths]} | {"validation": held, **data},
        }
    )
    encoder = Encoder(chat.vocabulary.tokenizer, chat, "assistant", max_length, overlong)
    with Ledger(None) as ledger:
        return read_examples(recipe, encoder, ledger), dict(ledger.report())


def texts(examples: Examples, chat: ChatFormat) -> list[str]:
    """What is learnt of each example."""
    store = examples.store(0)
    leaves = [store.leaves(number)[0] for number in range(len(store))]
    return [chat.vocabulary.tokenizer.decode(leaf.ids[leaf.start : -1]) for leaf in leaves]


def refusal(*arguments: Any, **options: Any) -> str:
    with pytest.raises(UserError) as caught:
        read(*arguments, **options)
    return str(caught.value)


def test_rates_draw_the_examples_of_each_source(chat: ChatFormat, tmp_path: Path) -> None:
    one = write(tmp_path / "a.jsonl", [row(number) for number in range(8)])
    two = write(tmp_path / "b.jsonl", [row(number) for number in range(10, 14)])
    sources = [{"path": one, "rate": 0.5}, {"path": two, "rate": 2.5}, {"path": one, "format": "alpaca"}]
    found, report = read(chat, sources=sources)
    counts = Counter(texts(found.train, chat)[:14])
    assert sum(counts[f"{number}."] for number in range(8)) == 4
    assert sorted(counts[f"{number}."] for number in range(10, 14)) == [2, 2, 3, 3]
    assert texts(found.train, chat)[14:] == [f"{number}." for number in range(8)]
    assert report["total"]["kept"] == 20, "rates are of epochs, not of rows read"
    assert texts(read(chat, sources=sources)[0].train, chat) == texts(found.train, chat)
    assert texts(read(chat, sources=sources, seed=1)[0].train, chat) != texts(found.train, chat)


def test_what_is_held_back_is_not_repeated_by_a_rate(chat: ChatFormat, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [row(number) for number in range(10)])
    found, _ = read(chat, sources=[{"path": path, "rate": 3}], held=4)
    assert found.validation is not None
    held = texts(found.validation, chat)
    assert (len(held), len(texts(found.train, chat))) == (4, 18)
    assert not set(held) & set(texts(found.train, chat))


def test_every_row_has_its_fate(chat: ChatFormat, tmp_path: Path) -> None:
    rows = [row(1), "{", row(3, output=""), row(4, instruction="long " * 99), row(5), row(6, output="a <|im_end|> b")]
    found, report = read(chat, write(tmp_path / "a.jsonl", rows))
    assert texts(found.train, chat) == ["1.", "5."]
    assert found.validation is None
    total = report["total"]
    assert (total["read"], total["kept"], total["cut"]) == (6, 2, 0)
    assert total["dropped"] == {"it is longer than max_length": 1}
    assert sum(total["quarantined"].values()) == 3
    assert "the text holds '<|im_end|>', a special token of the tokenizer" in total["quarantined"]
    assert total["examples"] == 2
    assert total["supervised_tokens"] == int(found.train.store(0).supervised().sum())
    assert total["tokens"] == len(found.train.store(0).ids)


def test_rows_are_in_their_order_over_batches_and_sources(chat: ChatFormat, tmp_path: Path) -> None:
    """More rows than go to the tokenizer together, bad ones among them."""
    first: list[Any] = [
        row(number) if number % 7 or number > 50 else row(number, output=" ") for number in range(TOGETHER + 20)
    ]
    found, report = read(
        chat,
        write(tmp_path / "a.jsonl", first),
        write(tmp_path / "b.jsonl", [row(9001), row(9002)]),
        max_quarantine=0.5,
    )
    expected = [one["output"] for one in first if one["output"] != " "]
    assert texts(found.train, chat) == [*expected, "9001.", "9002."]
    assert [source["read"] for source in report["sources"]] == [TOGETHER + 20, 2]


def test_a_row_that_is_split_is_several_examples(chat: ChatFormat, tmp_path: Path) -> None:
    history = [[f"Question {number}?", "The cat sat on the mat."] for number in range(6)]
    path = write(tmp_path / "a.jsonl", [row(1, history=history), row(2)])
    found, report = read(chat, path, overlong="split", max_length=80)
    assert report["total"]["cut"] == 1
    assert report["total"]["examples"] == len(found.train.store(0)) > 3
    assert (
        max(
            len(leaf.ids) for number in range(len(found.train.store(0))) for leaf in found.train.store(0).leaves(number)
        )
        <= 80
    )


def test_an_overlong_row_is_named(chat: ChatFormat, tmp_path: Path) -> None:
    rows = [*(row(number) for number in range(TOGETHER + 3)), row(0, output="long " * 99)]
    told = refusal(chat, write(tmp_path / "a.jsonl", ["", *rows]), overlong="error")
    assert told.startswith(f"{tmp_path / 'a.jsonl'}, row {TOGETHER + 5}: ")
    assert "tokens are more than max_length=64, and overlong=error; raise max_length, or set overlong to" in told


def test_too_many_bad_rows(chat: ChatFormat, tmp_path: Path) -> None:
    rows = [row(number, output="a <|im_end|> b" if number < 11 else "fine") for number in range(100)]
    told = refusal(chat, write(tmp_path / "a.jsonl", rows))
    assert told.startswith("11 of 100 rows (11.0%) are bad, and data.max_quarantine allows 0.01: the text holds")
    read(chat, tmp_path / "a.jsonl", max_quarantine=0.2)


def test_no_row_that_can_be_used(chat: ChatFormat, tmp_path: Path) -> None:
    assert "can be used" in refusal(chat, write(tmp_path / "a.jsonl", [row(1, output="long " * 99)]))


# Validation


@pytest.fixture
def hundred(tmp_path: Path) -> Path:
    return write(tmp_path / "hundred.jsonl", [row(number) for number in range(100)])


@pytest.mark.parametrize(("held", "size"), [(0.05, 5), (0.005, 1), (0.99, 99), (1, 1), (30, 30), (99, 99)])
def test_a_share_or_a_number_is_held_back(chat: ChatFormat, hundred: Path, held: float, size: int) -> None:
    found, report = read(chat, hundred, held=held)
    assert found.validation is not None
    train, validation = texts(found.train, chat), texts(found.validation, chat)
    assert len(validation) == size
    assert sorted([*train, *validation]) == sorted(f"{number}." for number in range(100))
    assert report["total"]["kept"] == 100


def test_the_split_is_a_function_of_the_seed_and_keeps_the_order(chat: ChatFormat, hundred: Path) -> None:
    def split(seed: int) -> list[str]:
        found, _ = read(chat, hundred, held=20, seed=seed)
        assert found.validation is not None
        for store in (found.train, found.validation):
            numbers = [int(text[:-1]) for text in texts(store, chat)]
            assert numbers == sorted(numbers)
        return texts(found.validation, chat)

    assert split(0) == split(0)
    assert len({tuple(split(seed)) for seed in range(5)}) == 5
    assert split(0) != [f"{number}." for number in range(80, 100)]


def test_what_is_held_back_is_not_the_start_of_the_first_epoch(chat: ChatFormat, hundred: Path) -> None:
    from tutelage.tokens.planner import permutation

    found, _ = read(chat, hundred, held=20)
    assert found.validation is not None
    ours = {int(text[:-1]) for text in texts(found.validation, chat)}
    assert ours != set(permutation(0, 0, 100)[:20].tolist())


@pytest.mark.parametrize(("held", "size"), [(100, 100), (101, 101), (0.999, 100)])
def test_nothing_left_to_train_on(chat: ChatFormat, hundred: Path, held: float, size: int) -> None:
    told = f"data.validation={held} would hold back {size} of 100 examples and leave nothing to train on"
    assert refusal(chat, hundred, held=held) == told


def test_a_share_of_a_single_example(chat: ChatFormat, tmp_path: Path) -> None:
    told = refusal(chat, write(tmp_path / "one.jsonl", [row(1)]), held=0.1)
    assert told == "data.validation=0.1 would hold back 1 of 1 examples and leave nothing to train on"


def test_a_validation_file(chat: ChatFormat, hundred: Path, tmp_path: Path) -> None:
    found, report = read(chat, hundred, held=write(tmp_path / "held.jsonl", [row(777), "{", row(778)]))
    assert found.validation is not None
    assert len(found.train.store(0)) == 100
    assert texts(found.validation, chat) == ["777.", "778."]
    assert [(source["path"], source["read"]) for source in report["sources"]] == [
        (str(hundred), 100),
        (str(tmp_path / "held.jsonl"), 3),
    ]


def test_a_validation_file_is_checked_too(chat: ChatFormat, hundred: Path, tmp_path: Path) -> None:
    held = write(tmp_path / "held.jsonl", [row(number, output="") for number in range(30)])
    assert "held.jsonl" in refusal(chat, hundred, held=held)


@given(count=st.integers(2, 40), share=st.floats(0.01, 0.9), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_every_example_is_on_one_side(count: int, share: float, seed: int) -> None:
    from tutelage.records import Leaf
    from tutelage.run.rows import _split
    from tutelage.tokens.store import StoreBuilder

    builder = StoreBuilder()
    for number in range(count):
        builder.add([Leaf(np.array([number, number + 1], np.int32), 1)])
    if max(1, round(share * count)) >= count:
        return
    store = builder.finish()
    train, validation = (store.select(places) for places in _split(count, share, seed))
    assert len(validation) == max(1, round(share * count))
    both = [store.leaves(number)[0].ids[0] for store in (train, validation) for number in range(len(store))]
    assert sorted(both) == list(range(count))


def test_ids_that_the_model_does_not_know_are_refused(chat: ChatFormat, tmp_path: Path) -> None:
    """A tokenizer with tokens that were added and never given a row of the embedding."""
    rows, _ = read(chat, write(tmp_path / "rows.jsonl", [row(number) for number in range(4)]))
    tokenizer = chat.vocabulary.tokenizer
    store = rows.train.store(0)
    refuse_unknown_ids(store, len(tokenizer), tokenizer)
    refuse_unknown_ids(store, None, tokenizer)
    highest = int(store.ids.max())
    with pytest.raises(UserError, match=f"as id {highest}, but the model knows only {highest} tokens"):
        refuse_unknown_ids(store, highest, tokenizer)


def test_a_conversation_of_many_turns_is_counted_once(chat: ChatFormat, tmp_path: Path) -> None:
    """Each turn is a leaf that begins with the whole conversation so far: their sum would grow with the square."""
    turns = [["one?", "one"], ["two?", "two"], ["three?", "three"]]
    found, report = read(chat, write(tmp_path / "rows.jsonl", [row(4, history=turns)] * 2), max_length=200)
    leaves = found.train.store(0).leaves(0)
    assert len(leaves) == 4
    whole = max(len(leaf.ids) for leaf in leaves)
    assert found.train.store(0).tokens().tolist() == [whole - 1] * 2
    assert report["total"]["tokens"] == 2 * whole


def test_a_person_is_told_what_became_of_the_rows(tiny_llama: Path, tmp_path: Path) -> None:
    from tests.runs import words
    from tutelage.run.events import Event, Note, Warned
    from tutelage.run.recipe import load_recipe
    from tutelage.run.tune import tune

    data = tmp_path / "rows.jsonl"
    good = '{"instruction": "x", "output": "y"}\n' * 3
    for number, (text, expected) in enumerate(
        {
            good: Note(f"{data}: 3 rows read as alpaca: 3 kept"),
            good + '{"instruction": "x"}\n': Warned(
                f"{data}: 4 rows read as alpaca: 3 kept, 1 not used (most often, 1 times: field `output` is missing); "
                f"they are in {tmp_path / '1' / 'quarantine.jsonl'}"
            ),
        }.items()
    ):
        data.write_text(text)
        told: list[Event] = []
        tune(load_recipe(None, words(tiny_llama, data, tmp_path / str(number), train__max_steps=1)), told.append)
        assert expected in told
