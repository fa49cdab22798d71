"""`data.mixture.leave_out`: tasks and single templates that are not trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.taskfiles import make_tasks
from tutelage.errors import UserError
from tutelage.run.gathering import Gathering, gather
from tutelage.tasks.settings import MixtureSettings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """wet (ask, letters, words, back; zh) and colour (what, which) can be trained on."""
    make_tasks(tmp_path / "tasks", rows=20)
    return tmp_path / "tasks"


def gathered(folder: Path, *left_out: str, dev: bool = False, **values: Any) -> Gathering:
    values = {"tasks": (str(folder),), "catalog": (folder,), "data_root": folder, "leave_out": left_out, **values}
    return gather(MixtureSettings.model_validate(values), 0, dev)


def ways(found: Gathering) -> dict[str, list[str]]:
    return {one.task.name: [template.id for template in one.templates] for one in found.tasks}


WET = ["ask", "letters", "words", "back"]


@pytest.mark.parametrize(
    ("left_out", "trained"),
    [
        ((), {"wet": WET, "colour": ["what", "which"]}),
        (("wet",), {"colour": ["what", "which"]}),
        (("cluster:reading_comprehension",), {"wet": WET}),
        (("wet/words", "wet/ask"), {"wet": ["letters", "back"], "colour": ["what", "which"]}),
        (("colour/what", "wet"), {"colour": ["which"]}),
        (("wet/zh", "rte"), {"wet": WET, "colour": ["what", "which"]}),  # was not in it
    ],
)
def test_tasks_and_templates_leave(folder: Path, left_out: tuple[str, ...], trained: dict[str, list[str]]) -> None:
    assert ways(gathered(folder, *left_out)) == trained


def test_what_left_is_told_and_nothing_of_it_is_validated_on(folder: Path) -> None:
    found = gathered(folder, "colour", "wet/ask", dev=True)
    assert "Left out, as data.mixture.leave_out says: colour." in found.notes
    (wet,) = found.tasks
    assert "ask" not in [template.id for template in wet.dev_part.templates]


def test_a_task_that_only_its_path_names_can_be_left_out(folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text((folder / "wet.yaml").read_text().replace("name: wet", "name: mine"))
    found = gathered(folder, "mine/ask", tasks=(str(mine), "colour"))
    assert ways(found) == {"mine": WET[1:], "colour": ["what", "which"]}
    assert ways(gathered(folder, "mine", tasks=(str(mine), "colour"))) == {"colour": ["what", "which"]}
    assert ways(gathered(folder, str(mine), tasks=(str(mine), "colour"))) == {"colour": ["what", "which"]}


def test_a_named_task_of_a_held_out_cluster_may_be_left_out_instead(folder: Path) -> None:
    assert ways(gathered(folder, "wet", tasks=("wet", "colour"), hold_out=("inference",))) == {
        "colour": ["what", "which"]
    }


@pytest.mark.parametrize(
    ("left_out", "sentence"),
    [
        ("wett", "there is no task wett, nor a file or folder of this name: did you mean wet?"),
        ("wet/aks", "data.mixture.leave_out=wet/aks: wet has no template aks; did you mean ask?"),
        ("all/ask", "data.mixture.leave_out=all/ask: all is more than one task; name one, or no template"),
    ],
)
def test_a_misspelt_word_is_refused(folder: Path, left_out: str, sentence: str) -> None:
    with pytest.raises(UserError) as refused:
        gathered(folder, left_out)
    assert str(refused.value) == sentence


def test_nothing_left_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="leaves no template of the task colour: leave out the task itself"):
        gathered(folder, "colour/what", "colour/which")
    with pytest.raises(UserError, match="leaves none of the tasks wet to train on"):
        gathered(folder, "wet", tasks=("wet",))
