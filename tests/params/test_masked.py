"""Masks show keys and sizes to Airflow and to templates, and keep the value for the task."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from airflow.serialization.helpers import serialize_template_field
from jinja2 import StrictUndefined
from jinja2.nativetypes import NativeEnvironment
from jinja2.sandbox import SandboxedEnvironment

from airflow_provider_retell.bulk import SqlRows
from airflow_provider_retell.params.masked import Masked, mask, unmask

PRIVATE = "Ada"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"name": PRIVATE, "n": {"a": PRIVATE}}, {"name": "***", "n": "***"}),
        (json.dumps({"name": PRIVATE}), {"name": "***"}),
        (str({"name": PRIVATE}), {"name": "***"}),
        ('{"name": 1, "name": 2}', "***"),
        (PRIVATE, "***"),
        ("", "***"),
        (4711, "***"),
        (f'["{PRIVATE}"]', "***"),
        ([PRIVATE, PRIVATE], "2 rows"),
        ((PRIVATE,), "1 rows"),
        ({}, {}),
        (SqlRows("db", "select 1"), None),
    ],
)
def test_a_mask_shows_keys_and_sizes_only(value: Any, shown: Any) -> None:
    masked = mask(value)
    assert isinstance(masked, Masked)
    assert unmask(masked) is value
    stored = serialize_template_field(masked, "field")
    assert stored == (str(value) if shown is None else shown)
    assert json.loads(json.dumps(stored)) == stored
    for text in (str(masked), repr(masked), f"{masked}"):
        assert PRIVATE not in text


def test_a_mask_shows_ids_of_the_given_keys() -> None:
    criteria = {
        "batch_call_id": {"type": "string", "op": "eq", "value": "batch_1"},
        "agent": [{"agent_id": "agent_1", "version": [1]}, {"agent_id": "agent_2"}],
        "call_id": {"type": "string", "op": "eq", "value": "+14155550123"},
        "chat_id": ["chat_1", {"note": PRIVATE}],
        "to_number": {"type": "string", "op": "eq", "value": "agent_1"},
    }
    masked = mask(criteria, ("batch_call_id", "agent", "call_id", "chat_id"))
    assert unmask(masked) is criteria
    assert serialize_template_field(masked, "field") == {
        "batch_call_id": "batch_1",
        "agent": "agent_1, agent_2",
        "call_id": "***",
        "chat_id": "***",
        "to_number": "***",
    }


def test_none_and_masks_are_not_masked() -> None:
    assert mask(None) is None
    masked = mask(PRIVATE)
    assert mask(masked) is masked
    assert unmask(PRIVATE) == PRIVATE


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]
)
@pytest.mark.parametrize("value", [{"name": PRIVATE}, PRIVATE])
def test_a_copy_keeps_the_value(value: Any, duplicate: Any) -> None:
    masked = duplicate(mask(value))
    assert unmask(masked) == value
    assert PRIVATE not in repr(masked)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ metadata['name'] }}", "***"),
        ("{{ metadata.name }}", "***"),
        ("{{ metadata.missing }}", "***"),
        ("{{ metadata.value }}", "***"),
        ("{{ metadata['name']['first'].upper()[0] }}", "***"),
        ("{{ metadata.get('name') }}", "***"),
        ("{{ metadata | tojson }}", '{"name": "***"}'),
        ("{{ metadata }}", '{"name": "***"}'),
        ("{% for key, value in metadata.items() %}{{ key }}={{ value }}{% endfor %}", "name=***"),
        ("{{ number }} {{ number[-4:] }} {{ number.split('5') }} {{ number | length }}", "*** *** *** 3"),
        ("{{ number | tojson }}{% for digit in number %}{{ digit }}{% endfor %}", '"***"***'),
        ("{{ rows }} {{ rows[0]['to_number'] }}", "2 rows 2 rows"),
    ],
)
def test_a_template_that_reads_a_mask_gets_masked_text(template: str, text: str) -> None:
    environment = SandboxedEnvironment(undefined=StrictUndefined)
    values = {"metadata": mask({"name": PRIVATE}), "number": mask("+15550100"), "rows": mask([{}, {}])}
    assert environment.from_string(template).render(values) == text


# Airflow evaluates such templates after the call has been placed.
EXPRESSIONS = [
    "{m}.n + 1, 1 + {m}.n, {m}.n - 1, 3 - {m}.n, {m}.n * 2, 3 * {m}.n, {m}.n / 2, {m}.n // 2, {m}.n % 2, {m}.n ** 2",
    "-{m}.n, {m}.n > 3, 3 < {m}.n, {m}.n == 5, {m}.n in [1], 'x' in {m}.n, not {m}.n, {m}.n is number",
    "{m}.n | int, {m}.n | float, {m}.n | round, {m}.n | round(1), {m}.n | abs, {m}.n | filesizeformat",
    "{m}.n | sum, {m}.n | first, {m}.n | last, {m}.n | max, {m}.n | min, {m}.n | random, {m}.n | join(',')",
    "{m}.n | sort | join, {m}.n | map('upper') | list, {m}.n | unique | list, {m}.n | batch(2) | list",
    "{m}.n | upper, {m}.n | title, {m}.n | replace('a', 'b'), {m}.n | truncate(5), {m}.n | urlencode",
    "{m}.n | format(1), '%s' % {m}.n, '%d' % {m}.n, '%.2f' % {m}.n, '{{:d}}'.format({m}.n)",
    "'{{:.2f}}'.format({m}.n), '{{:>9}}'.format({m}.n), {m}.n.split(' ') | first, {m}.n.split(' ')[0]",
    "{m}.n.strftime('%Y'), {m}.n.date().isoformat(), {m}.n.a.b.c, {m}['n']['a'], {m}.n[-4:], {m}.n.encode()",
    "{m} | length, {m} | dictsort, {m} | items | list, {m} | tojson, {m}.get('x', 'y'), {m}.values() | join(',')",
    "rows | length, rows[0].to_number, rows | map(attribute='to_number') | join(',')",
    "rows | selectattr('a') | list, range({m}.n | int) | list, {m}.n if {m}.n else 'x'",
]


@pytest.mark.parametrize("environment", [SandboxedEnvironment, NativeEnvironment])
@pytest.mark.parametrize("expressions", EXPRESSIONS)
def test_no_expression_about_a_mask_fails_or_shows_the_value(environment: Any, expressions: str) -> None:
    values = {"field": mask({"n": PRIVATE}), "rows": mask([{"to_number": PRIVATE}])}
    rendered = environment(undefined=StrictUndefined).from_string(
        "{{ (" + expressions.format(m="field") + ") }}"
    )
    assert PRIVATE not in str(rendered.render(values))


def test_text_around_a_mask_is_kept() -> None:
    masked = mask({"name": PRIVATE})["name"]
    assert "customer " + masked + "!" == "customer ***!"
    assert f"customer %s, {masked:>5}" % masked == "customer ***,   ***"
