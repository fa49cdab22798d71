"""The `data.mixture.*` part of a recipe: which tasks are mixed, how much of each, how they are asked."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from tutelage.data.settings import DataSettings
from tutelage.settings import Settings

# Of `decontaminate`: the tasks that `hold_out` keeps from training.
HELD_OUT = "held-out"


class RateSettings(Settings):
    """What one task gives, where the rates are given."""

    task: str = Field(description="its name")
    rate: float = Field(gt=0, description="examples an epoch; all below 1: shares of the epoch")


class MixtureSettings(Settings):
    """Tasks, mixed as FLAN mixes them (Wei et al. 2021)."""

    tasks: tuple[str, ...] = Field(
        min_length=1,
        description="names, cluster:NAME, all, task files, or folders of them; `data=rte` is short for one",
    )
    catalog: tuple[Path, ...] = Field((), description="folders of task files of your own, besides the shipped ones")
    data_root: Path | None = Field(None, description="where the tasks' files lie; null: their rows come from the hub")
    hold_out: tuple[str, ...] = Field((), description="clusters that are not trained on, nor what is related to them")
    related: tuple[str, ...] | None = Field(
        None, description="clusters that leave with those of hold_out; null: the related ones that FLAN leaves out"
    )
    leave_out: tuple[str, ...] = Field(
        (), description="not trained on: tasks, as `tasks` names them, and single templates as TASK/TEMPLATE-ID"
    )
    mixing: Literal["proportional", "temperature", "equal", "given"] = Field(
        "proportional", description="how much of each task; an epoch is as long as if it were proportional"
    )
    cap: int | None = Field(
        30_000, ge=1, description="at most so many rows of a task are read, from the top, bad ones not counted"
    )
    rate_cap: int | None = Field(3_000, ge=1, description="a task counts as having at most so many rows")
    temperature: float = Field(2.0, ge=1, description="mixing=temperature: rows to the power of 1 / temperature")
    rates: tuple[RateSettings, ...] = Field((), description="mixing=given: `{rte: 3000, cb: 500}`, or shares of 1")
    templates: tuple[str, ...] | None = Field(
        None, description="all, en, zh, the first so many, or ids; null: those in the language of the task's texts"
    )
    template_order: Literal["round-robin", "random"] = Field(
        "round-robin", description="in turn, as FLAN's code does, or drawn; anew every epoch"
    )
    shots: int = Field(0, ge=0, le=16, description="exemplars before each example, drawn from its task's training rows")
    shot_tokens: int | None = Field(
        None,
        ge=1,
        description="exemplars are left out until the prompt has no more tokens; never more than max_length leaves",
    )
    shuffle_options: bool = Field(False, description="list the options in another order for every example")
    loss_scaling: Literal["muppet"] | None = Field(
        None, description="muppet: divided by the logarithm of the number of options (Aghajanyan et al. 2021)"
    )
    decontaminate: tuple[str, ...] | None = Field(
        None,
        description="tasks whose test and dev rows are looked for in all training rows, those of files too; held-out: "
        "the tasks of hold_out",
    )


class MixedDataSettings(DataSettings):
    """Files, tasks, or both."""

    mixture: MixtureSettings | None = Field(None, description="tasks, mixed; null: files only")
