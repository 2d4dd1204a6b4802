"""Retell's API as values, without I/O and without Airflow.

All resources share the modules of this package: requests and responses, attempts and retries, quotas, errors, JSON.
Each resource is a package with the same modules: ``endpoints`` (functions that return requests), ``bodies`` (models of
request bodies), ``models`` (models of responses), and ``waits`` (conditions to wait for).
"""
