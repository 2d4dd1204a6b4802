"""Methods of the hooks for simulation tests."""

from __future__ import annotations

from airflow_provider_retell.api.simulations import endpoints, listings
from airflow_provider_retell.hooks.endpoint import Endpoint, Steps


class SimulationMethods:
    """The endpoints of test cases, batch tests and test runs. The ``list_*`` methods read all pages."""

    create_test_case_definition = Endpoint(endpoints.create_test_case_definition)
    update_test_case_definition = Endpoint(endpoints.update_test_case_definition)
    get_test_case_definition = Endpoint(endpoints.get_test_case_definition)
    delete_test_case_definition = Endpoint(endpoints.delete_test_case_definition)
    list_test_case_definitions_page = Endpoint(endpoints.list_test_case_definitions)
    list_test_case_definitions = Steps(listings.list_test_case_definitions)
    create_batch_test = Endpoint(endpoints.create_batch_test)
    get_batch_test = Endpoint(endpoints.get_batch_test)
    list_batch_tests_page = Endpoint(endpoints.list_batch_tests)
    list_batch_tests = Steps(listings.list_batch_tests)
    get_test_run = Endpoint(endpoints.get_test_run)
    list_test_runs_page = Endpoint(endpoints.list_test_runs)
    list_test_runs = Steps(listings.list_test_runs)
