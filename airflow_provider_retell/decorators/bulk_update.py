"""The decorator ``@task.retell_bulk_update``."""

from __future__ import annotations

import functools
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from airflow_provider_retell._compat import DecoratedOperator, task_decorator_factory
from airflow_provider_retell.bulk.function_context import call_with_context
from airflow_provider_retell.bulk.given_rows import CallableRows
from airflow_provider_retell.operators.bulk import BulkUpdateCallOperator
from airflow_provider_retell.params.masked import unmask

if TYPE_CHECKING:
    from airflow.sdk.bases.decorator import Task
    from typing_extensions import ParamSpec

    from airflow_provider_retell._compat import Context

    P = ParamSpec("P")

R = TypeVar("R", bound=Iterable[Mapping[str, Any]])


class BulkUpdateDecoratedOperator(DecoratedOperator, BulkUpdateCallOperator):
    """The operator of the tasks that :func:`retell_bulk_update` makes.

    :param python_callable: the function that returns or yields rows.
    :param op_args: its positional arguments (templated).
    :param op_kwargs: its keyword arguments (templated).
    """

    custom_operator_name = "@task.retell_bulk_update"
    template_fields: Sequence[str] = (
        "op_args",
        "op_kwargs",
        *(name for name in BulkUpdateCallOperator.template_fields if name != "rows"),
    )
    masked_fields: Sequence[str] = ("op_args", "op_kwargs")

    def __init__(
        self,
        *,
        python_callable: Callable[..., Iterable[Mapping[str, Any]]],
        op_args: Sequence[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            python_callable=python_callable, op_args=op_args, op_kwargs=op_kwargs, rows=[], **kwargs
        )

    def execute(self, context: Context) -> Any:
        """Run the task. Airflow's own version looks for assets in arguments and results, and fails in Airflow 3.0."""
        return BulkUpdateCallOperator.execute(self, context)

    def work(self, context: Context) -> None:
        """Run the update with the rows of the function, which runs in the thread that reads rows."""
        args, kwargs = unmask(self.op_args), unmask(self.op_kwargs)
        function = functools.partial(self.python_callable, *args)

        def rows() -> Any:
            return call_with_context(function, ChainMap(kwargs, context))  # type: ignore[arg-type]

        self.rows = CallableRows(rows, self.column_names)
        super().work(context)


@overload
def retell_bulk_update(python_callable: Callable[P, R], /) -> Task[P, R]: ...


@overload
def retell_bulk_update(**kwargs: Any) -> Callable[[Callable[P, R]], Task[P, R]]: ...


def retell_bulk_update(python_callable: Callable[..., Any] | None = None, /, **kwargs: Any) -> Any:
    """Make a task of a function that returns or yields rows. The same task writes them to the calls.

    The rows never pass through XCom. The function can have parameters for values of Airflow's context, for example
    ``ds``, and for the results of other tasks.

    ::

        from airflow.sdk import task  # Airflow 2: from airflow.decorators import task

        @task.retell_bulk_update(metadata_columns=["tier"], report_path="s3://bucket/retell/{{ run_id }}.jsonl")
        def enrich(day):
            for call_id, tier in score_calls(day):
                yield {"call_id": call_id, "tier": tier}

        enrich("{{ ds }}")

    Type checkers know the decorator under its other name:
    ``from airflow_provider_retell.decorators import retell_bulk_update``.

    Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/bulk.html

    :param python_callable: the function.
    :param kwargs: the parameters of :class:`~airflow_provider_retell.operators.BulkUpdateCallOperator` except
        ``rows``, and of all operators.
    :raises TypeError: if *kwargs* contains ``rows``.
    """
    if "rows" in kwargs:
        raise TypeError("retell_bulk_update() takes no rows. The function returns or yields them")
    kwargs.pop("multiple_outputs", None)
    return task_decorator_factory(
        python_callable=python_callable,
        multiple_outputs=False,
        decorated_operator_class=BulkUpdateDecoratedOperator,
        **kwargs,
    )
