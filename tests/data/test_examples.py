"""The worked examples in the docstrings of the data room, and of calls as text, are true."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module

import pytest

import tutelage.data

MODULES = [f"tutelage.data.{module.name}" for module in pkgutil.iter_modules(tutelage.data.__path__)]


@pytest.mark.parametrize("name", [*MODULES, "tutelage.tokens.calls"])
def test_the_examples_of_a_module_are_true(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0


def test_there_are_examples() -> None:
    counts = {name: doctest.testmod(import_module(name)).attempted for name in MODULES}
    assert sum(counts.values()) > 12
