"""Test cases from dicts and files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.common.distinct_keys import DuplicateKeyError, check_distinct_keys, parse_json
from airflow_provider_retell.common.paths import check_no_secrets, safe_path
from airflow_provider_retell.params.masked import unmask
from airflow_provider_retell.params.rendered import check_not_empty, parse_text

_SUFFIXES = (".json", ".yaml", ".yml")


class LiteralTestCase:
    """A test case in a DAG file, which Airflow neither renders nor shows.

    Prompts contain Retell's dynamic variables, which have the same braces as Airflow's templates.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.fields = fields

    def __repr__(self) -> str:
        return f"test case {self.fields.get('name')!r}"


def keep_literal(test_cases: Any) -> Any:
    """Return *test_cases* with its dicts protected from rendering. Texts and XComArgs are left as they are."""
    if isinstance(test_cases, Mapping):
        return [LiteralTestCase(test_cases)]
    if isinstance(test_cases, (list, tuple)):
        return [LiteralTestCase(case) if isinstance(case, Mapping) else case for case in test_cases]
    return test_cases


def as_test_cases(value: Any, name: str, conn_id: str | None = None) -> list[Mapping[str, Any]]:
    """Return test cases: dicts, paths of files, lists of these, or the text of such a list.

    :raises RetellInputError: if a file cannot be read; the message has nothing of its content.
    """
    return list(_cases(unmask(value), name, conn_id))


def _cases(value: Any, name: str, conn_id: str | None) -> Iterator[Mapping[str, Any]]:
    check_not_empty(value, name)
    if isinstance(value, LiteralTestCase):
        yield value.fields
    elif isinstance(value, Mapping):
        yield value
    elif isinstance(value, str):
        try:
            parsed = parse_text(value, object)
        except DuplicateKeyError as error:
            raise RetellInputError(f"{name} rendered to text that has {error}. Remove one of them") from None
        if isinstance(parsed, (list, dict)):
            yield from _cases(parsed, name, conn_id)
        else:
            yield from _in_files(value, name, conn_id)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _cases(item, name, conn_id)
    else:
        raise RetellInputError(
            f"{name} must be test cases as dicts, or paths of JSON or YAML files, not {type(value).__name__}"
        )


def _in_files(path: str, name: str, conn_id: str | None) -> Iterator[Mapping[str, Any]]:
    from airflow_provider_retell._compat.services import storage_path

    if not path.lower().endswith(_SUFFIXES):
        raise RetellInputError(f"{name}: a file with test cases must end in .json, .yaml or .yml")
    check_no_secrets(name, path)
    if "*" in path:
        from airflow_provider_retell.common.folders import matches

        files = matches(path, conn_id)
        if not files:
            raise RetellInputError(f"{name}: no file matches {safe_path(path)}")
    else:
        files = [storage_path(path, conn_id)]
    for file in files:
        try:
            content = file.read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise RetellInputError(
                f"{name}: {safe_path(str(file))} cannot be read: {type(error).__name__}"
            ) from None
        found = _parse(content, str(file), name)
        cases = found if isinstance(found, list) else [found]
        if not all(isinstance(case, Mapping) for case in cases):
            raise RetellInputError(
                f"{name}: {safe_path(str(file))} must have a test case, or a list of test cases"
            )
        yield from cases


def _parse(content: str, file: str, name: str) -> Any:
    if file.lower().endswith(".json"):
        try:
            return parse_json(content)
        except DuplicateKeyError as error:
            raise _has_twice(name, file, error) from None
        except ValueError as error:
            line = getattr(error, "lineno", None)
            raise RetellInputError(f"{name}: {safe_path(file)} is not JSON{_at(line)}") from None
    import yaml  # type: ignore[import-untyped]

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """Rejects a mapping with the same key twice."""

        def compose_mapping_node(self, anchor: Any) -> Any:
            # Before the keys of "<<" are merged, which others override.
            node = super().compose_mapping_node(anchor)
            check_distinct_keys(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
            return node

    try:
        return yaml.load(content, Loader)  # noqa: S506 - a SafeLoader
    except DuplicateKeyError as error:
        raise _has_twice(name, file, error) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise RetellInputError(
            f"{name}: {safe_path(file)} is not YAML{_at(mark and mark.line + 1)}"
        ) from None


def _has_twice(name: str, file: str, error: DuplicateKeyError) -> RetellInputError:
    return RetellInputError(f"{name}: {safe_path(file)} has {error}. Remove one of them")


def _at(line: int | None) -> str:
    return f" (line {line})" if line else ""
