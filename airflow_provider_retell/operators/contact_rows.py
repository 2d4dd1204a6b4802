"""Base class of the operators that bring contacts to the state of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_retell.bulk.column_names import names_by_column
from airflow_provider_retell.operators.rows_base import BulkOperator
from airflow_provider_retell.params import checks

_OTHER_PARAMETERS = {
    "phone_number": "phone_number_column",
    "do_not_call": "do_not_call_column",
    "contact_tags": "tag_columns of SyncContactsOperator",
    "contact_tag_ids": "tag_columns of SyncContactsOperator",
}


class ContactRowsOperator(BulkOperator):
    """Base class of the operators that bring contacts to the state of rows, with guards for do-not-call marks.

    The operators describe the parameters.
    """

    def __init__(
        self,
        *,
        phone_number_column: str = "phone_number",
        columns: Mapping[str, str] | Sequence[str] = (),
        do_not_call_column: str | None = None,
        tag_columns: Mapping[str, str] | Sequence[str],
        allow_clearing_do_not_call: bool = False,
        max_changed_ratio: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(tolerate=(), **kwargs)
        checks.text(phone_number_column=phone_number_column, do_not_call_column=do_not_call_column)
        checks.flag(allow_clearing_do_not_call=allow_clearing_do_not_call)
        checks.between("max_changed_ratio", max_changed_ratio, 0, 1)
        self.check_effect(
            "do_not_call_column",
            do_not_call_column is not None,
            allow_clearing_do_not_call=allow_clearing_do_not_call,
        )
        fields = names_by_column("columns", columns) or {}
        tags = names_by_column("tag_columns", tag_columns) or {}
        for name in fields.values():
            if name in _OTHER_PARAMETERS:
                raise ValueError(f"columns must not have the field {name}: set {_OTHER_PARAMETERS[name]}")
        named = [phone_number_column, *fields, *tags]
        if do_not_call_column is not None:
            named.append(do_not_call_column)
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise ValueError(f"a column must have one meaning, but these have several: {', '.join(twice)}")
        self.phone_number_column = self.key_column = phone_number_column
        self.columns = columns
        self.do_not_call_column = do_not_call_column
        self.allow_clearing_do_not_call = allow_clearing_do_not_call
        self.max_changed_ratio = max_changed_ratio
