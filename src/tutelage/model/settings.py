"""The `adapter.*` and `freeze.*` parts of a recipe."""

from typing import Literal

from pydantic import Field

from tutelage.settings import Settings


class AdapterSettings(Settings):
    """A small set of new weights trained in place of the model's own."""

    kind: Literal["lora"] = Field("lora", description="low-rank updates (Hu et al. 2021), through PEFT")
    rank: int = Field(16, ge=1, description="rank of each update")
    alpha: float | None = Field(None, gt=0, description="the update is scaled by alpha / rank; null: twice the rank")
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout on the adapter's input")
    targets: tuple[str, ...] | Literal["all-linear"] = Field(
        "all-linear",
        description="ends of the names of the layers that get one; all-linear: every linear layer but the head",
    )


class FreezeSettings(Settings):
    """Which of the model's own weights are trained; without these, all."""

    last_layers: int | None = Field(None, ge=1, description="train only the last so many layers")
    train: tuple[str, ...] = Field(
        (), description="train only parameters whose names contain one of these, besides last_layers"
    )
