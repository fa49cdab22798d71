"""The `data.*` part of a recipe."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from tutelage.data.columns import ColumnSettings, TagSettings
from tutelage.data.formats import FORMATS, find
from tutelage.data.registry import may_be_registered, registered
from tutelage.errors import UserError
from tutelage.settings import Settings

DEV: Literal["dev"] = "dev"


def _known(name: str) -> str:
    try:
        find(name)
    except UserError as error:
        raise ValueError(str(error)) from None
    return name


def _dev(value: object) -> object:
    """The word `dev`, which is read as a path; a file of rows has an ending."""
    return DEV if value == Path(DEV) else value


FormatName = Annotated[str, AfterValidator(_known)]


class SourceSettings(Settings):
    """One source of rows."""

    path: Path = Field(
        description="a file: .json, .jsonl, .csv, .tsv, .txt, each also as .gz, .parquet, .arrow; a folder of such; a "
        "pattern such as `rows/*.jsonl`; a name in data.registry; a data set of the hub, owner/name; or starter:text, "
        "which a small world writes"
    )
    format: FormatName | None = Field(
        None,
        description=f"how a row is read: {', '.join(FORMATS)}, or a name that a package's entry point in the group "
        "tutelage.formats has; null: detected from the rows",
    )
    columns: ColumnSettings | None = Field(None, description="the rows' own names for fields; null: the formats' names")
    tags: TagSettings | None = Field(None, description="the names in messages; null: the formats' names")
    header: tuple[str, ...] = Field(
        (), description="columns of a .csv or .tsv file whose first line does not name them"
    )
    quotes: bool = Field(True, description="whether quotation marks enclose fields of a .csv or .tsv file")
    subset: str | None = Field(None, description="of a data set of the hub that has several")
    split: str = Field("train", description="of a data set of the hub, or of a folder that has one by that name")
    folder: str | None = Field(None, description="of a data set of the hub: the folder that is read")
    revision: str | None = Field(None, description="of a data set of the hub: a commit, branch or tag")
    stream: bool = Field(False, description="read a data set of the hub as it comes, without keeping it on disk")
    licence: str | None = Field(
        None, description="for the data report and the model card; null: what the data set says"
    )
    rate: float | None = Field(
        None,
        gt=0,
        description="how often its examples come in an epoch: 0.5: half of them, drawn by the seed; 2: each twice; "
        "null: each once",
    )
    limit: int | None = Field(None, ge=1, description="read at most so many rows, from the top, bad ones counted too")


class DataSettings(Settings):
    """What is trained on, and how much of it may be bad."""

    registry: Path | None = Field(
        None,
        description="a dataset_info.json as LLaMA-Factory has it, whose names may stand as sources; its num_samples is "
        "read as limit",
    )
    sources: tuple[SourceSettings, ...] = Field((), description="`data=FILE` is short for one source")
    max_quarantine: float = Field(
        0.01, ge=0, le=1, description="stop if more than this share of the rows, and more than 10 rows, are bad"
    )
    cache: bool = Field(
        True,
        description="keep the token ids of large sources for the next run to start from, in $TUTELAGE_CACHE or among "
        "the user's caches; `tutelage data cache` shows and prunes them",
    )
    workers: int | None = Field(
        None,
        ge=0,
        description="processes that turn the rows of large files into token ids; null: as many as cores, at most 8; 0: "
        "none but the run's own",
    )
    duplicates: Literal["keep", "drop-exact", "drop-near"] = Field(
        "keep",
        description="rows that have the same text as an earlier one, or almost the same; data_report.json counts both",
    )
    validation: Annotated[float | int | Literal["dev"] | Path | None, BeforeValidator(_dev)] = Field(
        None,
        description="for the validation loss: a share below 1 or a number of the files' examples, held back; a file; "
        "or dev: up to 200 rows of the dev split of each task of the mixture",
    )

    @field_validator("sources")
    @classmethod
    def _looked_up(cls, sources: tuple[SourceSettings, ...], info: ValidationInfo) -> tuple[SourceSettings, ...]:
        """Names of the registry as what they stand for; what the recipe says of a source goes before its entry."""
        registry = info.data.get("registry")
        return sources if registry is None else tuple(_from_registry(source, registry) for source in sources)


def _from_registry(source: SourceSettings, registry: Path) -> SourceSettings:
    if not may_be_registered(source.path):
        return source
    said = source.model_dump(exclude_unset=True, exclude={"path"})
    return SourceSettings.model_validate({**registered(str(source.path), registry), **said})
