"""Lazy re-exports: ``from airflow_provider_retell.operators import GetCallOperator`` loads one module only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy_exports(package: str, modules: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of *package* that imports names when they are first used (PEP 562).

    :param modules: the exported names by module, relative to this distribution's root package.
    """
    places = {name: module for module, names in modules.items() for name in names}

    def get(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"airflow_provider_retell.{places[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return get
