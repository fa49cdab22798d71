"""Tutelage: instruction tuning that is correct, fast, and able to prove what was learnt.

The public face is small: `tutelage.tune(recipe)` does what the command `tutelage tune` does; `UserError` is what it
raises when the recipe, the data or the model folder needs mending.
"""

from __future__ import annotations

import os

# OpenMP threads that spin while they wait make training ten times slower beside other work. libgomp and libiomp read
# these once, when torch is first imported, so they are set here, before anything of ours can import it. Whoever set
# them keeps their choice.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
os.environ.setdefault("KMP_BLOCKTIME", "0")
# oneDNN keeps a compiled kernel with its scratch memory for every shape it met, 1024 of them by default. Rows of ever
# new lengths made a 5M model grow by 90 MB a step; with 64 it stays, at the same speed (docs/log.md). Read at the same
# moment.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
os.environ.setdefault("LRU_CACHE_CAPACITY", "64")

from typing import TYPE_CHECKING, Any

from tutelage.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tutelage.run.events import Event

__version__ = "0.1.0"
__all__ = ["UserError", "__version__", "tune"]


def tune(recipe: Mapping[str, object], announce: Callable[[Event], None] | None = None) -> dict[str, Any]:
    """Runs a recipe as `tutelage tune` does, and returns the outcome that report.json holds.

        tutelage.tune({"model": "Qwen/Qwen3-0.6B", "data": "rows.jsonl", "output": "runs/first", "train.epochs": 1})

    Keys are those of docs/recipe.md, dotted or nested. `announce` is called with each of `tutelage.run.events` as it
    happens.

    Raises:
        UserError: the recipe, the data or the model needs mending; one sentence says what, where, and what to do.
    """
    from tutelage.run.recipe import build_recipe
    from tutelage.run.tune import tune as run

    return run(build_recipe(recipe), announce or (lambda event: None))
