"""The meaning of the columns of single rows, without a server."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_retell.api.calls.endpoints import CallChange
from airflow_provider_retell.api.chats.endpoints import ChatChange
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.bulk.errors import InvalidRowError
from airflow_provider_retell.bulk.named_columns import NamedColumns
from airflow_provider_retell.bulk.records.columns import Columns, RowReader
from airflow_provider_retell.bulk.records.row_options import RowOptions
from airflow_provider_retell.bulk.rows import BadRow


def read(row: Any, columns: Columns = Columns(), change: Any = CallChange) -> Any:  # noqa: B008
    return RowReader(columns, change).read(row)


def fault(row: Any, columns: Columns = Columns(), change: Any = CallChange) -> tuple[str, str | None]:  # noqa: B008
    with pytest.raises(InvalidRowError) as caught:
        read(row, columns, change)
    return caught.value.fault, caught.value.key


ALL = Columns(
    "id",
    custom_attributes={"t": "attr_tier"},
    storage_column="keeps",
    options=RowOptions(json_columns=frozenset({"facts"})),
)


def test_every_column_has_one_meaning() -> None:
    row = {"id": 12, "t": "gold", "keeps": "everything_except_pii", "facts": '{"a": [1]}', "n": 2}
    assert read(row, ALL) == (
        "12",
        CallChange(
            metadata={"facts": {"a": [1]}, "n": 2},
            data_storage_setting="everything_except_pii",
            custom_attributes={"attr_tier": "gold"},
        ),
    )


def test_row_without_values_asks_for_no_change() -> None:
    assert read({"call_id": "a"}) == ("a", CallChange())
    assert read({"id": "a", "keeps": None}, ALL) == ("a", CallChange())
    assert read({"call_id": "a", "n": 1}, Columns(metadata={})) == ("a", CallChange())


def test_named_metadata_columns_get_their_keys_and_others_are_ignored() -> None:
    columns = Columns(metadata={"tier": "customer.tier"}, storage="basic_attributes_only")
    assert read({"call_id": "a", "tier": "gold", "n": 1}, columns) == (
        "a",
        CallChange(metadata={"customer.tier": "gold"}, data_storage_setting="basic_attributes_only"),
    )


@pytest.mark.parametrize(
    ("nulls", "metadata", "attributes", "removed"),
    [
        ("write", {"a": None, "b": 1}, {"attr_t": None}, frozenset()),
        ("skip", {"b": 1}, None, frozenset()),
        ("remove", {"b": 1}, None, frozenset({"a"})),
    ],
)
def test_nulls_are_written_skipped_or_removed(
    nulls: Any, metadata: Any, attributes: Any, removed: frozenset[str]
) -> None:
    columns = Columns(custom_attributes={"t": "attr_t"}, options=RowOptions(nulls=nulls))
    assert read({"call_id": "a", "a": None, "b": 1, "t": None}, columns) == (
        "a",
        CallChange(metadata=metadata, custom_attributes=attributes, remove=removed),
    )


@pytest.mark.parametrize(
    ("row", "message", "key"),
    [
        (BadRow("line 3 is not JSON"), "line 3 is not JSON", None),
        ({"n": 1}, "the row has no 'call_id'", None),
        ({"call_id": None}, "call_id is null", None),
        ({"call_id": ""}, "call_id is empty", None),
        ({"call_id": True}, "call_id must be text, not bool", None),
        ({"call_id": 1.5}, "call_id must be text, not float", None),
        ({"call_id": "no/id"}, "call_id has '/' as character 3: an id must consist of", None),
        ({"call_id": "a", "n": {1}}, "metadata.n is a set", "a"),
        ({"call_id": "a", 5: 1}, "the row has a column whose name is not text", "a"),
        ({"call_id": "a", "metadata": {}}, "the column metadata would become one key", "a"),
        (
            {"call_id": "a", "call_status": "ended", "agent_id": "b"},
            "the row is a whole call, as ListCallsOp",
            "a",
        ),
    ],
)
def test_row_that_cannot_be_sent_says_why(row: Any, message: str, key: str | None) -> None:
    text, found = fault(row)
    assert text.startswith(message)
    assert found == key


def test_attribute_that_cannot_be_sent_is_named() -> None:
    text, key = fault({"id": "a", "t": {1}}, ALL)
    assert text.startswith("custom_attributes.attr_tier is a set")
    assert key == "a"


def test_whole_chat_is_recognized_and_parts_of_one_are_metadata() -> None:
    columns = Columns("chat_id")
    text, _ = fault({"chat_id": "a", "chat_status": "ended", "agent_id": "b"}, columns, ChatChange)
    assert text.startswith("the row is a whole chat, as ListChatsOperator exports it. Name the columns")
    for row in ({"chat_status": "ended"}, {"agent_id": "b"}, {"call_status": "ended", "agent_id": "b"}):
        assert read({"chat_id": "a", **row}, columns, ChatChange)[1].metadata == row
    named = Columns("chat_id", metadata={"agent_id": "agent"})
    row = {"chat_id": "a", "chat_status": "ended", "agent_id": "b"}
    assert read(row, named, ChatChange) == ("a", ChatChange(metadata={"agent": "b"}))


def test_missing_columns_are_those_that_no_readable_row_has() -> None:
    reader = RowReader(
        Columns(
            *("id", {"tier": "tier"}, {"t": "attr_t"}),
            storage_column="keeps",
            options=RowOptions(json_columns=frozenset({"z_facts", "a_facts"})),
        ),
        CallChange,
    )
    assert reader.named_columns.missing == []
    with pytest.raises(InvalidRowError):
        reader.read(BadRow("broken"))
    assert reader.named_columns.missing == []
    reader.read({"id": "a"})
    assert reader.named_columns.missing == ["tier", "t", "a_facts", "z_facts", "keeps"]
    reader.read({"id": "b", "t": "x", "keeps": None})
    assert reader.named_columns.missing == ["tier", "a_facts", "z_facts"]
    reader.read({"id": "c", "tier": 1, "a_facts": "1", "z_facts": "1"})
    assert reader.named_columns.missing == []


def test_columns_are_checked_with_the_header_or_with_all_rows() -> None:
    named = NamedColumns("id", ["tier", "tier", "n"])
    with pytest.raises(RetellInputError) as caught:
        named.check_header(["ID", "n"])
    assert str(caught.value).startswith(
        "the rows have no column id, tier; they have: ID, n. Names are case-sensitive"
    )
    loose = NamedColumns("id", ["tier"])
    with pytest.raises(InvalidRowError, match="the row has no 'id'"):
        loose.key_of({"ID": 1, "n": 2})
    assert loose.missing == ["tier"]
    reader = RowReader(Columns("id", {"tier": "tier"}), CallChange)
    with pytest.raises(RetellInputError, match="^the rows have no column tier; they have: id"):
        reader.named_columns.check_header(["id"])
    reader.named_columns.check_header(["id", "tier"])
