"""An organization: its settings, its rate limits, and its objects of every resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.calls.backend import CallBackend
from airflow_provider_retell.emulator.rate_limits import Limit, RateLimits
from airflow_provider_retell.emulator.simulations.backend import BatchTestBackend, TestCaseBackend
from airflow_provider_retell.emulator.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from airflow_provider_retell.emulator.backend import Backend
    from airflow_provider_retell.emulator.calls.vocabulary import Call
    from airflow_provider_retell.emulator.options import Options
    from airflow_provider_retell.emulator.simulations.vocabulary import BatchTest, TestCase


class Organization:
    """An organization (workspace) of the emulator.

    ``Emulator.add_organization`` creates more of them; ``Emulator.organization`` is the default one.

    :ivar name: its name.
    :ivar api_key: its full-access key.
    :ivar custom_attributes: the ids of its custom attributes, a set that tests may change.
    :ivar concurrency: its limit of live calls, which tests may change.
    :ivar do_not_call: a set of phone numbers that tests may change.
    """

    def __init__(
        self,
        name: str,
        options: Options,
        *,
        api_key: str,
        routes: frozenset[str],
        custom_attributes: Collection[str] = (),
        quotas: Mapping[str, Limit | None] | None,
        concurrency: int,
    ) -> None:
        if concurrency < 0:
            raise ValueError(f"concurrency must be 0 or more, not {concurrency}")
        self.name = name
        self.api_key = api_key
        self.org_id = f"org_{name}"
        self.options = options
        self.custom_attributes = set(custom_attributes)
        self.rate_limits = RateLimits(quotas, routes=routes)
        self.concurrency = concurrency
        self.do_not_call = set(options.do_not_call)
        self.timeline = Timeline()
        self.call_backend = CallBackend(options, self.timeline, concurrency=lambda: self.concurrency)
        self.test_case_backend = TestCaseBackend(options)
        self.batch_test_backend = BatchTestBackend(options, self.timeline, self.test_case_backend)
        self.backends: dict[str, Backend] = {
            "calls": self.call_backend,
            "test_cases": self.test_case_backend,
            "batch_tests": self.batch_test_backend,
        }

    def catch_up(self) -> None:
        """Run everything that is due on the clock."""
        clock = self.options.clock
        with clock.lock:
            self.timeline.catch_up(clock.now)
            for backend in self.backends.values():
                backend.catch_up(clock.now)
            self.timeline.catch_up(clock.now)

    def clear(self) -> None:
        """Clear objects, schedules, charges and used quota; keep keys, attributes and limits."""
        with self.options.clock.lock:
            self.timeline.clear()
            for backend in self.backends.values():
                backend.clear()
            self.rate_limits.clear()

    @property
    def calls(self) -> dict[str, Call]:
        """The calls by id, up to date with the clock. The dictionary is live: tests may change it."""
        self.catch_up()
        return self.call_backend.store.calls

    @property
    def placed(self) -> list[Call]:
        """The calls that create-phone-call and create-batch-call placed, oldest first."""
        self.catch_up()
        return self.call_backend.placed

    @property
    def reruns(self) -> int:
        """The number of analyses that were run and charged again."""
        return self.call_backend.reruns

    def add_call(self, *, progress: bool = False, minimal: bool = False, **fields: Any) -> Call:
        """Add a call and return it.

        Fields that are not given are filled as in a real call of that type and status. The default is a phone
        call that has ended and is analyzed. The returned dictionary is live: tests may change it.

        :param progress: let a call that is registered, ongoing or not analyzed yet continue its life cycle.
        :param minimal: leave out transcripts, recordings, costs, latencies and analysis, for tests with very
            many calls.
        :param fields: fields of the call; None leaves a field out.
        :raises ValueError: for a call id that exists, or a call type or status that Retell does not have.
        """
        return self.call_backend.add(progress=progress, minimal=minimal, **fields)

    def add_calls(self, call_ids: Iterable[str], *, minimal: bool = True, **fields: Any) -> None:
        """Add many calls that differ in their ids only.

        :param call_ids: an id for each call.
        :param minimal: as in ``add_call``, but True by default.
        :param fields: the fields of every call.
        """
        self.call_backend.add_many(call_ids, minimal=minimal, **fields)

    def edit_call(self, call_id: str, *, progress: bool = False, **fields: Any) -> Call:
        """Change fields of a call, whatever its status, and return it.

        Only the given fields change: a new ``call_status`` alone adds no timestamps, transcript or analysis.

        :param call_id: the id of the call.
        :param progress: let the call continue its life cycle from its new status.
        :param fields: the new values; None removes a field.
        :raises LookupError: if there is no such call.
        :raises ValueError: for a call type or status that Retell does not have, or a new ``call_id``.
        """
        with self.options.clock.lock:
            call = self.call_backend.edit(call_id, progress=progress, **fields)
        self.catch_up()
        return call

    @property
    def test_cases(self) -> dict[str, TestCase]:
        """The test cases by id. The dictionary is live: tests may change it."""
        return self.test_case_backend.test_cases

    @property
    def batch_tests(self) -> dict[str, BatchTest]:
        """The batch tests by id, oldest first and up to date with the clock, each with its ``runs``."""
        self.catch_up()
        return self.batch_test_backend.batch_tests

    @property
    def test_run_credit(self) -> int | None:
        """The number of test runs that the organization can still pay for; None means no limit. Tests may set it."""
        return self.batch_test_backend.simulator.credit

    @test_run_credit.setter
    def test_run_credit(self, credit: int | None) -> None:
        self.batch_test_backend.simulator.credit = credit

    @property
    def charged_test_runs(self) -> int:
        """The number of test runs that were charged."""
        self.catch_up()
        return self.batch_test_backend.simulator.charged

    @property
    def real_tool_calls(self) -> list[dict[str, Any]]:
        """The tool calls of simulations that no mock answered, so that they went to the real tools."""
        self.catch_up()
        return self.batch_test_backend.simulator.real_tool_calls

    def add_test_case(self, **fields: Any) -> TestCase:
        """Add a test case and return it. The returned dictionary is live: tests may change it.

        Two fields script its runs. ``verdicts`` are their results, one after the other, of which the last one
        repeats: ``["fail", "pass"]`` is a flaky test. ``tool_calls`` are the agent's calls in each run:
        ``[{"tool_name": "book", "args": {"day": "Monday"}}]``. Default: all runs pass without tool calls.

        :param fields: fields of the test case definition. Default: a test case of the LLM
            ``llm_8f21c0d6a7e94b35``.
        :raises ValueError: for an id that exists, or a verdict or response engine that Retell does not have.
        """
        return self.test_case_backend.add(**fields)

    def edit_test_case(self, test_case_definition_id: str, **fields: Any) -> TestCase:
        """Change fields of a test case and return it.

        :param test_case_definition_id: the id of the test case.
        :param fields: the new values, as in ``add_test_case``.
        :raises LookupError: if there is no such test case.
        """
        with self.options.clock.lock:
            return self.test_case_backend.edit(test_case_definition_id, **fields)

    def add_batch_test(
        self, response_engine: dict[str, Any], test_case_definition_ids: list[str], **fields: Any
    ) -> BatchTest:
        """Start a batch test as create-batch-test does, for example in place of another client, and return it.

        :param response_engine: the engine as create-batch-test takes it.
        :param test_case_definition_ids: the ids of the test cases.
        :param fields: other fields, such as ``creation_timestamp``.
        """
        return self.batch_test_backend.add(
            response_engine=response_engine,
            test_case_definition_ids=test_case_definition_ids,
            **fields,
        )
