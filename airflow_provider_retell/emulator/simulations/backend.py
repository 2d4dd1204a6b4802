"""The test cases and batch tests of one organization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.backend import Backend
from airflow_provider_retell.emulator.responses import ApiError
from airflow_provider_retell.emulator.simulations import samples
from airflow_provider_retell.emulator.simulations.simulator import Simulator
from airflow_provider_retell.emulator.simulations.vocabulary import ENGINE_IDS, SCRIPT, VERDICTS

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.options import Options
    from airflow_provider_retell.emulator.simulations.vocabulary import BatchTest, TestCase, TestRun
    from airflow_provider_retell.emulator.timeline import Timeline


class TestCaseBackend(Backend["TestCase"]):
    """The test cases of one organization. The 404 for an unknown id is our guess."""

    __test__ = False
    noun, table = "test case", "test-case-definition"

    def add(self, **fields: Any) -> TestCase:
        """Add a test case and return it; see ``Organization.add_test_case``."""
        with self.options.clock.lock:
            case = samples.test_case(self.options.clock.now_ms())
            case.update(fields)
            _check(case)
            case_id = case["test_case_definition_id"]
            if case_id in self.objects:
                raise ValueError(f"test case {case_id!r} exists already")
            self.objects[case_id] = case
            return case

    def edit(self, object_id: str, **fields: Any) -> TestCase:
        """Change fields of a test case and return it."""
        case = self.existing(object_id)
        _check({**case, **fields})
        case.update(fields)
        case["user_modified_timestamp"] = self.options.clock.now_ms()
        return case


class BatchTestBackend(Backend["BatchTest"]):
    """The batch tests of one organization, each with its ``runs``. The 404 for an unknown id is our guess.

    :param test_cases: the test cases of the organization.
    :param timeline: its schedule.
    """

    noun, table = "batch test", "test-case-batch-job"

    def __init__(self, options: Options, timeline: Timeline, test_cases: TestCaseBackend) -> None:
        super().__init__(options)
        self._test_cases = test_cases
        self.simulator = Simulator(timeline, options.simulation, options.test_run_credit)

    def add(self, **fields: Any) -> BatchTest:
        """Start a batch test as create-batch-test does, and return it.

        :param fields: ``response_engine``, ``test_case_definition_ids``, and other fields, such as
            ``creation_timestamp``.
        :raises ValueError: if one of these two is missing, or a test case does not exist.
        """
        clock = self.options.clock
        engine, ids = fields.pop("response_engine", None), fields.pop("test_case_definition_ids", None)
        if not engine or not ids:
            raise ValueError("response_engine and test_case_definition_ids must be set")
        unknown = [case_id for case_id in ids if case_id not in self._test_cases.objects]
        if unknown:
            raise ValueError(f"there is no test case {unknown[0]!r}")
        with clock.lock:
            cases = [self._test_cases.objects[case_id] for case_id in ids]
            batch = samples.batch_test(dict(engine), len(cases), clock.now_ms())
            batch.update(fields)
            self.objects[batch["test_case_batch_job_id"]] = batch
            self.simulator.start(batch, cases, clock.now())
            return batch

    def edit(self, object_id: str, **fields: Any) -> BatchTest:
        """Change fields of a batch test and return it."""
        batch = self.existing(object_id)
        batch.update(fields)
        return batch

    def clear(self) -> None:
        """Remove all batch tests, charges and tool calls."""
        super().clear()
        self.simulator.clear()

    def find_run(self, run_id: str) -> TestRun:
        """Return a test run by its id, or raise 404, which is our guess."""
        runs: dict[str, TestRun] = {
            run["test_case_job_id"]: run for batch in self.objects.values() for run in batch["runs"]
        }
        if run_id not in runs:
            raise ApiError(self.options.missing_asset_status, f"Item {run_id} not found from test-case-job")
        return runs[run_id]


def visible(case: TestCase) -> TestCase:
    """Return a test case as the API shows it."""
    return {name: value for name, value in case.items() if name not in SCRIPT}


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
