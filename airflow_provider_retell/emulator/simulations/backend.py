"""The test cases and batch tests of one organization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.backend import Backend
from airflow_provider_retell.emulator.responses import ApiError
from airflow_provider_retell.emulator.simulations import samples
from airflow_provider_retell.emulator.simulations.simulator import Simulator
from airflow_provider_retell.emulator.simulations.vocabulary import ENGINE_IDS, SCRIPT, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_retell.emulator.options import Options
    from airflow_provider_retell.emulator.simulations.vocabulary import BatchTest, TestCase, TestRun
    from airflow_provider_retell.emulator.timeline import Timeline


class TestCaseBackend(Backend):
    """The test cases of one organization.

    :ivar test_cases: the test cases by id.
    """

    __test__ = False

    def __init__(self, options: Options) -> None:
        self._options = options
        self.test_cases: dict[str, TestCase] = {}

    def all(self) -> list[TestCase]:
        """Return all test cases, with their scripts."""
        return list(self.test_cases.values())

    def add(self, **fields: Any) -> TestCase:
        """Add a test case and return it; see ``Organization.add_test_case``."""
        with self._options.clock.lock:
            case = samples.test_case(self._options.clock.now_ms())
            case.update(fields)
            _check(case)
            case_id = case["test_case_definition_id"]
            if case_id in self.test_cases:
                raise ValueError(f"test case {case_id!r} exists already")
            self.test_cases[case_id] = case
            return case

    def edit(self, object_id: str, **fields: Any) -> TestCase:
        """Change fields of a test case and return it."""
        case = self.test_cases.get(object_id)
        if case is None:
            raise LookupError(f"there is no test case {object_id!r}")
        _check({**case, **fields})
        case.update(fields)
        case["user_modified_timestamp"] = self._options.clock.now_ms()
        return case

    def clear(self) -> None:
        """Remove all test cases."""
        self.test_cases.clear()

    def find(self, case_id: str) -> TestCase:
        """Return a test case by its id, or raise 404, which is our guess."""
        return _find(self._options, self.test_cases, case_id, "test-case-definition")


class BatchTestBackend(Backend):
    """The batch tests of one organization, and the test runs in them.

    :param test_cases: the test cases of the organization.
    :param timeline: its schedule.
    :ivar batch_tests: the batch tests by id, each with its ``runs``.
    """

    def __init__(self, options: Options, timeline: Timeline, test_cases: TestCaseBackend) -> None:
        self._options = options
        self._test_cases = test_cases
        self.simulator = Simulator(timeline, options.simulation, options.test_run_credit)
        self.batch_tests: dict[str, BatchTest] = {}

    def all(self) -> list[BatchTest]:
        """Return all batch tests with their test runs."""
        return list(self.batch_tests.values())

    def add(self, **fields: Any) -> BatchTest:
        """Start a batch test as create-batch-test does, and return it.

        :param fields: ``response_engine``, ``test_case_definition_ids``, and other fields, such as
            ``creation_timestamp``.
        :raises ValueError: if one of these two is missing, or a test case does not exist.
        """
        clock = self._options.clock
        engine, ids = fields.pop("response_engine", None), fields.pop("test_case_definition_ids", None)
        if not engine or not ids:
            raise ValueError("response_engine and test_case_definition_ids must be set")
        unknown = [case_id for case_id in ids if case_id not in self._test_cases.test_cases]
        if unknown:
            raise ValueError(f"there is no test case {unknown[0]!r}")
        with clock.lock:
            cases = [self._test_cases.test_cases[case_id] for case_id in ids]
            batch = samples.batch_test(dict(engine), len(cases), clock.now_ms())
            batch.update(fields)
            self.batch_tests[batch["test_case_batch_job_id"]] = batch
            self.simulator.start(batch, cases, clock.now())
            return batch

    def edit(self, object_id: str, **fields: Any) -> BatchTest:
        """Change fields of a batch test and return it."""
        batch = self.batch_tests.get(object_id)
        if batch is None:
            raise LookupError(f"there is no batch test {object_id!r}")
        batch.update(fields)
        return batch

    def clear(self) -> None:
        """Remove all batch tests, charges and tool calls."""
        self.batch_tests.clear()
        self.simulator.clear()

    def find(self, batch_id: str) -> BatchTest:
        """Return a batch test by its id, or raise 404, which is our guess."""
        return _find(self._options, self.batch_tests, batch_id, "test-case-batch-job")

    def find_run(self, run_id: str) -> TestRun:
        """Return a test run by its id, or raise 404, which is our guess."""
        runs = {run["test_case_job_id"]: run for batch in self.batch_tests.values() for run in batch["runs"]}
        return _find(self._options, runs, run_id, "test-case-job")


def visible(case: TestCase) -> TestCase:
    """Return a test case as the API shows it."""
    return {name: value for name, value in case.items() if name not in SCRIPT}


def _find(
    options: Options, objects: Mapping[str, dict[str, Any]], object_id: str, kind: str
) -> dict[str, Any]:
    """Return the object with an id, or raise the 404 that Retell sends for other assets."""
    try:
        return objects[object_id]
    except KeyError:
        raise ApiError(options.missing_asset_status, f"Item {object_id} not found from {kind}") from None


def same_engine(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two response engines are the same, in whatever version."""
    name = ENGINE_IDS[one["type"]]
    return bool(one["type"] == other["type"] and one[name] == other[name])


def _check(case: TestCase) -> None:
    for verdict in case.get("verdicts") or ():
        if verdict not in VERDICTS:
            raise ValueError(f"verdicts must be a list of {', '.join(VERDICTS)}, not {verdict!r}")
    if case["response_engine"].get("type") not in ENGINE_IDS:
        raise ValueError(f"response_engine must have a type among {', '.join(ENGINE_IDS)}")
