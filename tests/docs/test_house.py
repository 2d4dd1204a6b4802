"""The picture in CONTRIBUTING.md is true: the package imports along its arrows, and each arrow is an import."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from pages import ROOT

PACKAGE = ROOT / "airflow_provider_retell"
PICTURE = ET.parse(ROOT / "docs/images/house.svg").getroot()
DRAWN = {node.get("data-package", "") for node in PICTURE.iter() if node.get("data-package")}
SHARED = {node.get("data-package", "") for node in PICTURE.iter() if node.get("data-shared")}
ARROWS = {
    (node.get("data-from", ""), node.get("data-to", ""), node.get("data-kind", "imports"))
    for node in PICTURE.iter()
    if node.get("data-from")
}


def part(file: Path) -> str:
    """Return the box that a file stands in."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports() -> Iterator[tuple[str, str, str]]:
    """Yield what imports what, and whether at run time or for its types only."""
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


def below() -> dict[str, set[str]]:
    """Return what each box may import: what it reaches, but for what it is given."""
    reached: dict[str, set[str]] = defaultdict(set)
    for box in DRAWN:
        todo = [box]
        while todo:
            here = todo.pop()
            for start, end, kind in ARROWS:
                if start == here and end not in reached[box]:
                    todo.append(end)
                    if kind == "imports":
                        reached[box].add(end)
    return reached


def test_everything_is_drawn() -> None:
    there = {
        path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()
    }
    assert there - {"__init__", "__pycache__", "py.typed"} == DRAWN


def test_imports_go_along_the_arrows() -> None:
    reached = below()
    served = DRAWN - {"api", "emulator"}
    wrong = {
        (start, end)
        for start, end, kind in IMPORTS
        if start != end
        and start in DRAWN
        and end in DRAWN
        and kind == "imports"
        and end not in reached[start]
        and not (end in SHARED and start in served)
    }
    assert not wrong


def test_types_go_along_the_arrows_too() -> None:
    reached = below()
    given = {(start, end) for start, end, kind in ARROWS if kind == "types"}
    wrong = {
        (start, end)
        for start, end, kind in IMPORTS
        if kind == "types"
        and start != end
        and {start, end} <= DRAWN - SHARED
        and end not in reached[start]
        and (start, end) not in given
    }
    assert not wrong


def test_each_arrow_is_an_import() -> None:
    assert {(start, end, kind) for start, end, kind in ARROWS} - IMPORTS == set()


def test_what_is_given_is_not_imported() -> None:
    assert not [arrow for arrow in ARROWS if arrow[2] == "types" and (*arrow[:2], "imports") in IMPORTS]


def test_the_api_knows_no_airflow_and_no_http_library() -> None:
    assert not {(start, end) for start, end, _ in IMPORTS if start == "api"} & {
        ("api", name) for name in ("airflow", "requests", "aiohttp")
    }


def test_no_arrow_leads_back() -> None:
    assert not [box for box, reached in below().items() if box in reached]
