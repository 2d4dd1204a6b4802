"""Documents in a database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.documents.documents import Documents, TextEntry
from airflow_provider_retell.params import checks

if TYPE_CHECKING:
    from airflow.sdk import XComArg


class SqlDocuments(Documents):
    """The rows of a query, each a text.

    ::

        from airflow_provider_retell.documents import SqlDocuments

        SqlDocuments("warehouse", "select question as title, answer as text from faq")

    :param conn_id: the Airflow connection of the database, of any type whose hook is a ``DbApiHook`` (templated).
    :param sql: the query, or the path of a ``.sql`` file (templated).
    :param title_column: the column with the title, which must be unique. Default: ``title``.
    :param text_column: the column with the text. Default: ``text``.
    :param parameters: the values of the query's placeholders (templated).
    :param hook_params: arguments of the connection's hook, as in Airflow's SQL operators (templated).
    :raises ValueError: if *conn_id* has spaces, as a query has.
    """

    template_fields = ("conn_id", "sql", "parameters", "hook_params")
    # Not the values of parameters, and hooks may have passwords among their arguments.
    shown_fields = ("conn_id", "sql")

    def __init__(
        self,
        conn_id: str | XComArg,
        sql: str | XComArg,
        title_column: str = "title",
        text_column: str = "text",
        parameters: Sequence[Any] | Mapping[str, Any] | XComArg | None = None,
        hook_params: Mapping[str, Any] | XComArg | None = None,
    ) -> None:
        checks.connection_id("conn_id", conn_id)
        self.conn_id = conn_id
        self.sql = sql
        self.title_column = title_column
        self.text_column = text_column
        self.parameters = parameters
        self.hook_params = hook_params

    def read(self) -> Iterator[TextEntry]:
        """Yield a document for each row."""
        from airflow_provider_retell.api.encode import safe_name
        from airflow_provider_retell.bulk.rows import Header
        from airflow_provider_retell.bulk.sql.query import Query

        parameters: Any = self.parameters
        hook_params: Any = self.hook_params
        for row in Query(str(self.conn_id), str(self.sql), parameters, hook_params).read():
            for column in (self.title_column, self.text_column):
                if column not in row:
                    names = ", ".join(safe_name(str(name)) for name in row)
                    raise RetellInputError(
                        f"documents: the query has no column {column!r}; it has {names}. Set title_column and "
                        "text_column, or use aliases in the query"
                    )
            if isinstance(row, Header):
                continue
            title = row[self.title_column]
            yield TextEntry(str(title) if type(title) is int else title, row[self.text_column])
