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

from tutelage.errors import UserError

__version__ = "0.1.0"
__all__ = ["UserError", "__version__"]
