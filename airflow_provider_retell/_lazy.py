"""Lazy re-exports.

``from airflow_provider_retell.operators import GetCallOperator`` loads only the module of this operator.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy_exports(package: str, modules: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Return a ``__getattr__`` for *package* that imports a name when it is first used (PEP 562).

    :param modules: the exported names by module; the modules are relative to ``airflow_provider_retell``.
    """
    module_of = {name: module for module, names in modules.items() for name in names}

    def get(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"airflow_provider_retell.{module_of[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return get
