"""The `objective.*` part of a recipe."""

from typing import Literal

from pydantic import Field

from tutelage.settings import Settings


class ObjectiveSettings(Settings):
    """What is learnt, and how it is averaged."""

    train_on: Literal["assistant", "last", "everything", "messages"] = Field(
        "assistant",
        description="every assistant turn, the last one, every token, or turns marked in their row (`train`, `weight`)",
    )
    loss_average: Literal["token", "example"] = Field(
        "token", description="the mean over all supervised tokens of the global batch, or over its examples' own means"
    )
