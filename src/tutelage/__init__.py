"""Tutelage: instruction tuning that is correct, fast, and able to prove what was learnt.

The public face is small: `tutelage.tune(recipe)` does what the command `tutelage tune` does; `UserError` is what it raises when
the recipe, the data or the model folder needs mending.
"""

from __future__ import annotations

import os

# OpenMP threads that spin while they wait make training ten times slower beside other work. libgomp and libiomp read these once,
# when torch is first imported, so they are set here, before anything of ours can import it. Whoever set them keeps their choice.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
os.environ.setdefault("KMP_BLOCKTIME", "0")

from tutelage.errors import UserError

__version__ = "0.1.0"
__all__ = ["UserError", "__version__"]
