"""LLaMA-Factory's `dataset_info.json`, read as it is: a name there is a source with its file, format and columns.

    data=alpaca_en_demo data.registry=data/dataset_info.json

https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md says what its keys mean. Its `num_samples` draws rows;
here the first so many are read, as with `limit`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from tutelage.data.sources import ENDINGS, ending_of
from tutelage.errors import UserError, did_you_mean

FILE = "dataset_info.json"

# Their names for columns to ours; those of an entry that names any columns are not read unless it names them too.
_COLUMNS = {
    "alpaca": {
        "prompt": "instruction",
        "query": "input",
        "response": "output",
        "history": "history",
        "system": "system",
        "tools": "tools",
        "chosen": "chosen",
        "rejected": "rejected",
        "kto_tag": "label",
    },
    "sharegpt": {
        "messages": "messages",
        "system": "system",
        "tools": "tools",
        "chosen": "chosen",
        "rejected": "rejected",
        "kto_tag": "label",
    },
}
_COLUMNS["openai"] = _COLUMNS["sharegpt"]
_OPTIONAL = ("query", "history", "system", "tools", "kto_tag")
_TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "observation_tag": "tool",
    "function_tag": "call",
    "system_tag": "system",
}
_MEDIA = {"images": "images", "videos": "videos", "audios": "audio"}
_UNREADABLE = {
    "ms_hub_url": "lies on ModelScope only, which is not read",
    "om_hub_url": "lies on openMind only, which is not read",
    "script_url": "is a loading script, and code of others is not run",
    "cloud_file_name": "lies in cloud storage, which is not read",
}
_KEYS = {
    *("hf_hub_url", *_UNREADABLE, "file_name", "formatting", "ranking", "subset", "split", "folder", "num_samples"),
    *("columns", "tags"),
}


def registered(name: str, registry: Path) -> dict[str, Any]:
    """What the entry of this name says, as keys of a source. Raises `UserError` where it can't be read, or used."""
    path = registry / FILE if registry.is_dir() else registry
    entries = _entries(path)
    if name not in entries:
        raise UserError(
            f"{path} has no data set {name}: {did_you_mean(name, entries, f'it has {len(entries)} others.')}"
        )
    entry = entries[name]
    if not isinstance(entry, dict):
        raise UserError(f"{path}: the entry {name} is no object")
    for key in entry:
        if key not in _KEYS:
            raise UserError(
                f"{path}: the entry {name} has an unknown key {key}; {did_you_mean(key, _KEYS, 'take it out')}"
            )
    return _place(entry, f"{path}: the data set {name}", path.parent) | _shape(entry, f"{path}: the data set {name}")


def may_be_registered(path: Path) -> bool:
    """Whether a source's path may be a name of a registry: a word that is no file's name, and no pattern."""
    word = re.fullmatch(r"[^/\\*?\[\]:]+", str(path)) is not None
    return word and ending_of(path) not in ENDINGS and not path.exists()


def _entries(path: Path) -> dict[str, Any]:
    try:
        entries = orjson.loads(path.read_bytes())
    except OSError as error:
        raise UserError(f"data.registry={path} cannot be read: {error.strerror or error}") from None
    except orjson.JSONDecodeError as error:
        raise UserError(f"data.registry={path} is not JSON: {error}") from None
    if not isinstance(entries, dict):
        raise UserError(f"data.registry={path} is not a registry: it must be an object of data sets by name")
    return entries


def _place(entry: Mapping[str, Any], what: str, folder: Path) -> dict[str, Any]:
    """Where its rows lie."""
    more = {key: entry[key] for key in ("subset", "split", "folder") if entry.get(key) is not None}
    if entry.get("num_samples") is not None:
        more["limit"] = entry["num_samples"]
    if entry.get("hf_hub_url"):
        return {"path": str(entry["hf_hub_url"]), **more}
    for key, why in _UNREADABLE.items():
        if entry.get(key):
            raise UserError(f"{what} {why}: fetch its rows, and name their file as `file_name`")
    if not entry.get("file_name"):
        raise UserError(f"{what} says neither `file_name` nor `hf_hub_url`")
    return {"path": str(folder / str(entry["file_name"])), **more}


def _shape(entry: Mapping[str, Any], what: str) -> dict[str, Any]:
    """How its rows are read."""
    formatting = entry.get("formatting", "alpaca")
    if formatting not in _COLUMNS:
        raise UserError(f"{what} has the formatting {formatting!r}: {', '.join(_COLUMNS)} are read")
    columns = entry.get("columns") or {}
    for key, media in _MEDIA.items():
        if columns.get(key):
            raise UserError(f"{what} holds {media}, and only text is learnt yet: take another one")
    known = _COLUMNS[formatting]
    for key in columns:
        if key not in known:
            raise UserError(f"{what} has an unknown column {key}; {did_you_mean(key, known, 'take it out')}")
    ranking = bool(entry.get("ranking"))
    if formatting == "alpaca":
        if "prompt" in columns and not ranking and not {"response", "kto_tag"} & set(columns):
            return {"format": "text", "columns": {"text": columns["prompt"]}}  # for pretraining
        return {"format": "preference" if ranking else "alpaca", "columns": _ours(columns, known)}
    tags = {_TAGS[key]: value for key, value in (entry.get("tags") or {}).items() if key in _TAGS}
    named = {"messages": "conversations", **columns}
    return {"format": "preference" if ranking else "sharegpt", "columns": _ours(named, known), "tags": tags}


def _ours(columns: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Their columns by our names; with any named, those of the optional ones that are not are left unread."""
    unread = {known[key]: "" for key in _OPTIONAL if key in known and columns and key not in columns}
    return unread | {known[key]: value for key, value in columns.items() if value}
