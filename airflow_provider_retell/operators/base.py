"""What all operators of this package share."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import AirflowFailException, BaseOperator, BaseOperatorLink
from airflow_provider_retell.links.retell import RetellCallLink

if TYPE_CHECKING:
    from airflow_provider_retell.hooks.retell import RetellHook


class RetellOperator(BaseOperator):
    """Base of the operators: a hook, the dashboard link, and permanent errors that do not burn retries.

    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    """

    ui_color = "#e8ecff"
    operator_extra_links: Sequence[BaseOperatorLink] = (RetellCallLink(),)

    def __init__(self, *, retell_conn_id: str = "retell_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.retell_conn_id = retell_conn_id

    @functools.cached_property
    def hook(self) -> RetellHook:
        """The hook of this task; made when the task runs, so that a DAG file does not pay for HTTP libraries."""
        from airflow_provider_retell.hooks.retell import RetellHook

        return RetellHook(self.retell_conn_id)

    def execute(self, context: Any) -> Any:
        """Run the task; a :class:`RetellError` that cannot go away by itself fails it without further retries."""
        from airflow_provider_retell.api.errors import RetellError

        try:
            return self.work(context)
        except RetellError as error:
            if error.permanent:
                raise AirflowFailException(str(error)) from error
            raise
        finally:
            if "hook" in self.__dict__:
                self.hook.close()

    def work(self, context: Any) -> Any:
        """Do what the operator is for."""
        raise NotImplementedError
