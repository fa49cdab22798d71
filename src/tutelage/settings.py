"""What every part of a recipe is made of: a frozen model that refuses unknown keys.

Each room declares the settings it reads (`data/settings.py`, `train/settings.py`, …); `run/recipe.py` puts them
together.
"""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """A part of the recipe. Fields carry their meaning in `Field(description=…)`: it is the reference documentation."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
