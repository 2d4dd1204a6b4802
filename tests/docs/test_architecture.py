"""The picture in docs/architecture.md is correct: imports follow its arrows, and each arrow is an import."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from pages import ROOT

PACKAGE = ROOT / "airflow_provider_retell"
PICTURE = ET.parse(ROOT / "docs/images/architecture.svg").getroot()
DRAWN = {node.get("data-package", "") for node in PICTURE.iter() if node.get("data-package")}
# The helpers have no arrows. The picture names the packages that may import each of them.
HELPERS = {
    node.get("data-package", ""): set(node.get("data-shared", "").split())
    for node in PICTURE.iter()
    if node.get("data-shared")
}
ARROWS = {
    (node.get("data-from", ""), node.get("data-to", ""), node.get("data-kind", "imports"))
    for node in PICTURE.iter()
    if node.get("data-from")
}
ARROWS |= {
    (node.get("data-package", ""), end, "imports")
    for node in PICTURE.iter()
    for end in node.get("data-imports", "").split()
}


def part(file: Path) -> str:
    """Return the name of the box that contains a file."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports() -> Iterator[tuple[str, str, str]]:
    """Yield each import as its two boxes and its kind: ``imports`` at run time, ``types`` for annotations."""
    for file in PACKAGE.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for_types = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module == PACKAGE.name:
                names = [f"{PACKAGE.name}.{alias.name}" for alias in node.names]
            for name in names:
                if name.startswith(f"{PACKAGE.name}."):
                    yield part(file), name.split(".")[1], "types" if id(node) in for_types else "imports"
                elif name.split(".")[0] in ("airflow", "requests", "aiohttp"):
                    yield part(file), name.split(".")[0], "types" if id(node) in for_types else "imports"


IMPORTS = set(imports())


def allowed() -> dict[str, set[str]]:
    """Return the boxes that each box may import: all that its arrows reach, except the ends of dotted arrows."""
    reached: dict[str, set[str]] = defaultdict(set)
    for box in DRAWN:
        pending = [box]
        while pending:
            here = pending.pop()
            for start, end, kind in ARROWS:
                if start == here and end not in reached[box]:
                    pending.append(end)
                    if kind == "imports":
                        reached[box].add(end)
        reached[box] |= {helper for helper, users in HELPERS.items() if box in users}
    return reached


def not_allowed(kind: str) -> set[tuple[str, str]]:
    """Return the imports of a kind that no arrow permits."""
    reached = allowed()
    return {
        (start, end)
        for start, end, found in IMPORTS
        if found == kind and start != end and {start, end} <= DRAWN and end not in reached[start]
    }


def test_every_package_and_module_is_drawn() -> None:
    existing = {
        path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()
    }
    assert existing - {"__init__", "__pycache__", "py.typed"} == DRAWN


def test_the_users_of_helpers_are_drawn() -> None:
    assert set().union(*HELPERS.values()) <= DRAWN


def test_imports_follow_the_arrows() -> None:
    assert not not_allowed("imports")


def test_imports_for_annotations_follow_the_arrows() -> None:
    received = {(start, end) for start, end, kind in ARROWS if kind == "types"}
    assert not not_allowed("types") - received


def test_each_arrow_is_an_import() -> None:
    assert {(start, end, kind) for start, end, kind in ARROWS} - IMPORTS == set()


def test_a_received_instance_is_not_imported() -> None:
    assert not [arrow for arrow in ARROWS if arrow[2] == "types" and (*arrow[:2], "imports") in IMPORTS]


def test_the_arrows_form_no_cycle() -> None:
    assert not [box for box, reached in allowed().items() if box in reached]
