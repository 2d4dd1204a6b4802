"""Write code from tested files into the Markdown pages, as plain fenced code (`make docs-code`).

A page marks the place and names the file. Everything between the two lines is replaced::

    <!-- begin code: example_dags/wait_then_update.py wait_for_analysis -->
    <!-- end code -->

Without a name, the whole file is copied. A name selects a function, a class, the statement that assigns the name, or
the statement that creates the task with that `task_id`, together with the comments directly above it. Several names
select several statements.

    python scripts/docs_code.py           write the pages
    python scripts/docs_code.py --check   change nothing; exit code 1 if a page is not current
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from pathlib import Path

from marked_blocks import write

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("*.md", "docs/**/*.md", "benchmarks/*.md", ".github/**/*.md")


def defined_names(statement: ast.stmt) -> set[str]:
    """Return the names by which a page can select a statement."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    names: set[str] = set()
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Expr)):
        names |= {
            str(node.value.value)
            for node in ast.walk(statement)
            if isinstance(node, ast.keyword)
            and node.arg == "task_id"
            and isinstance(node.value, ast.Constant)
        }
    return names


def select(source: str, name: str) -> str:
    """Return the statement called *name* without its indentation; raise :class:`LookupError` unless there is one."""
    statements = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]
    found = [statement for statement in statements if name in defined_names(statement)]
    if len(found) != 1:
        raise LookupError(f"{len(found)} statements are called {name!r}; a page needs exactly one")
    (node,) = found
    lines = source.splitlines()
    decorators = getattr(node, "decorator_list", [])
    start = min([node.lineno, *(decorator.lineno for decorator in decorators)]) - 1
    while start > 0 and lines[start - 1].startswith(" " * node.col_offset + "#"):
        start -= 1
    return textwrap.dedent("\n".join(lines[start : node.end_lineno]))


def fenced(words: list[str]) -> str:
    """Return the code of a file as a fenced block.

    :param words: the file, and the names of the statements if it is not the whole file.
    """
    file, *names = words
    source = (ROOT / file).read_text(encoding="utf-8")
    code = "\n\n".join(select(source, name) for name in names) if names else source.strip("\n")
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`{3,}", code))])
    return f"{fence}{Path(file).suffix.removeprefix('.').replace('py', 'python')}\n{code}\n{fence}\n"


def main(arguments: list[str] | None = None) -> int:
    """Update the pages, or check them; return the exit code."""
    pages = sorted({page for pattern in PAGES for page in ROOT.glob(pattern)})
    return write(ROOT, pages, "code", fenced, arguments)


if __name__ == "__main__":
    sys.exit(main())
