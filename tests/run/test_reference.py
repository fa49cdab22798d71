"""docs/recipe.md is what the settings say today."""

from __future__ import annotations

from pathlib import Path

from tutelage.run.recipe import recipe_keys
from tutelage.run.reference import plain_list, reference

PAGE = Path(__file__).parents[2] / "docs" / "recipe.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == reference(), "run: python -m tutelage.run.reference > docs/recipe.md"


def test_every_key_is_on_the_page_and_in_the_list() -> None:
    for name, key in recipe_keys().items():
        if key.part is None:
            assert f"| `{name.replace('.0.', '.N.')}` |" in reference()
            assert f"\n{name}=" in "\n" + plain_list()


def test_every_line_of_a_table_has_four_cells() -> None:
    rows = [line for line in reference().splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {5}
