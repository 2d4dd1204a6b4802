"""The user's own code in a traceback."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_retell.params.render_errors import place_in_user_code

CODE = """
def inner():
    raise ValueError("private")

def outer():
    [inner() for _ in range(1)]

outer()
"""


def place(path: str, module: str) -> str:
    """Return the place of an error in code of a file at *path*."""
    names: dict[str, Any] = {"__name__": module}
    with pytest.raises(ValueError, match="private") as caught:
        exec(compile(CODE, path, "exec"), names)
    error = caught.value
    assert error.__traceback__ is not None
    return place_in_user_code(error.with_traceback(error.__traceback__.tb_next))


@pytest.mark.parametrize(
    "path", ["/opt/airflow/dags/campaign.py", "campaign.py", "/home/private/x/campaign.py"]
)
def test_the_innermost_line_is_named_without_its_folder(path: str) -> None:
    assert place(path, "unusual_prefix_1_campaign") == "inner(), line 3 of campaign.py"


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("/x/airflow/sdk/context.py", "airflow.sdk.context"),
        ("/x/airflow_provider_retell/bulk/rows.py", "airflow_provider_retell.bulk.rows"),
        ("/x/jinja2/filters.py", "jinja2.filters"),
        ("/x/lib/site-packages/duckdb/query.py", "duckdb.query"),
        ("/x/lib/dist-packages/duckdb/query.py", "duckdb.query"),
        (pytest.__file__, "pytest"),
        ("<template>", "__main__"),
    ],
)
def test_code_of_packages_and_templates_is_not_the_users(path: str, module: str) -> None:
    assert place(path, module) == ""


def test_code_of_the_standard_library_is_not_the_users() -> None:
    import json

    assert place(json.__file__, "json") == ""


def test_a_line_outside_of_a_function_is_named_alone() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        (lambda: 1 / 0)()
    assert place_in_user_code(caught.value).startswith("line ")
