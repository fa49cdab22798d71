"""What every study takes, and what `kind=holdout` takes besides.

`tune.*` and `evaluate.*` are the keys of those verbs, less those that the study itself settles: one schema is read off
the other, so that a key that is new there is at once a key here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, create_model, field_validator, model_validator

from tutelage.evaluate.settings import Evaluation
from tutelage.run.recipe import Recipe
from tutelage.settings import Settings
from tutelage.tasks.settings import MixedDataSettings, MixtureSettings

RESUME_OR_OVERWRITE = "resume=true goes on with the study in output and overwrite=true deletes it: give one."
TWICE = "a seed is there twice; each is a run of its own, so name each once"


def without(schema: type[Settings], name: str, taken: set[str], **others: Any) -> type[Settings]:
    """A schema's keys without those that are `taken`; `others` replaces fields: (annotation, field)."""
    kept: dict[str, Any] = {
        key: (field.annotation, field) for key, field in schema.model_fields.items() if key not in taken
    }
    return create_model(name, __base__=Settings, __doc__=schema.__doc__, **(kept | others))


if TYPE_CHECKING:

    class TuneKeys(Settings):
        """`tune.*`."""

    class EvaluateKeys(Settings):
        """`evaluate.*`."""

else:
    MixtureKeys = without(MixtureSettings, "MixtureKeys", {"tasks", "catalog", "data_root", "hold_out", "related"})
    DataKeys = without(
        MixedDataSettings,
        "DataKeys",
        {"sources", "registry"},
        mixture=(MixtureKeys, Field(default_factory=MixtureKeys, description="how the tasks are mixed")),
    )
    TuneKeys = without(
        Recipe,
        "TuneKeys",
        {"stage", "from_scratch", "model", "output", "seed", "resume", "overwrite", "trust_remote_code"},
        data=(DataKeys, Field(default_factory=DataKeys, description="what is learnt from, besides the tasks")),
    )
    EvaluateKeys = without(
        Evaluation,
        "EvaluateKeys",
        {
            *("model", "adapter", "tasks", "catalog", "data_root", "limit", "shots", "against"),
            *("output", "resume", "overwrite", "trust_remote_code"),
        },
        dev=(int, Field(0, ge=0, description="dev items a task that choose its best template; 0: none, as here")),
    )


class StudySettings(Settings):
    """What every kind of study takes."""

    kind: str = Field(description="which study")
    model: str = Field(description="where every run starts: a folder, a hub id or a run directory")
    output: Path = Field(description="the folder for all runs and the report, made if need be")
    resume: bool = Field(False, description="go on with the study in output: what is done is not done again")
    overwrite: bool = Field(False, description="replace the study in output, which is deleted with its runs")
    keep_models: bool = Field(True, description="false: a tuned model is deleted once all its scores are there")
    trust_remote_code: bool = Field(False, description="let Python code that comes with the model run on this machine")

    @model_validator(mode="after")
    def _keys_agree(self) -> StudySettings:
        if self.resume and self.overwrite:
            raise ValueError(RESUME_OR_OVERWRITE)
        return self


class LadderSettings(Settings):
    """What is kept from training in the clusters that are trained on, to be asked afterwards; drawn by seed."""

    templates: int = Field(2, ge=0, description="templates of each trained task that are kept from training")
    tasks: int = Field(1, ge=0, description="tasks of each trained cluster that are kept from training")
    limit: int | None = Field(
        None, ge=0, description="items asked of each task on these rungs; null: as limit; 0: no ladder, nothing is kept"
    )


class HoldOut(StudySettings):
    """A hold-out study: for each cluster, tune on the others and score it zero-shot (Wei et al. 2021)."""

    kind: Literal["holdout"] = Field(description="holdout: each cluster is held out in turn")
    tasks: tuple[str, ...] = Field(description="names, cluster:NAME, all, starter, task files, or folders of them")
    catalog: tuple[Path, ...] = Field((), description="folders with task files of your own")
    data_root: Path | None = Field(None, description="the folder that tasks' files lie below; null: rows from the hub")
    hold_out: tuple[str, ...] = Field(
        ("all",), min_length=1, description="clusters, each held out by itself; all: every one"
    )
    related: tuple[str, ...] | None = Field(
        None, description="clusters that leave training with any held-out one; null: the related ones that FLAN leaves"
    )
    seeds: tuple[int, ...] = Field(
        (0,), min_length=1, description="how many runs a cluster (3 for seeds 0, 1, 2), or a list of seeds"
    )
    limit: int | None = Field(None, ge=1, description="items a task, drawn by evaluate.seed; null: all")
    shots: int = Field(
        0, ge=0, le=16, description="exemplars of a further score of the untuned model; 0: no such score"
    )
    ladder: LadderSettings = Field(default_factory=LadderSettings, description="how far the following generalises")
    tune: TuneKeys = Field(default_factory=TuneKeys, description="keys of `tutelage tune` for every run")
    evaluate: EvaluateKeys = Field(default_factory=EvaluateKeys, description="keys of `tutelage evaluate`, likewise")

    @field_validator("seeds", mode="before")
    @classmethod
    def _counted(cls, value: object) -> object:
        """One number is a count, as words of a command line or YAML give it; a list is a list."""
        alone = value[0] if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str) else value
        if isinstance(alone, (str, int)):
            if not str(alone).isdecimal() or not 0 < int(alone) <= 1000:
                raise ValueError("it takes a number of runs from 1 to 1000, or a list of seeds")
            return tuple(range(int(alone)))
        return value

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(value)) < len(value):
            raise ValueError(TWICE)
        if min(value) < 0 or max(value) >= 2**32:
            raise ValueError("a seed is a whole number from 0 to 4294967295")
        return value
