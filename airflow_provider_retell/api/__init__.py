"""Retell's API as values, without I/O and without Airflow.

The modules here are shared by all resources: requests and responses, attempts and retries, quotas, errors, JSON. Each
resource is a package with the same modules: ``endpoints`` (functions that return requests), ``bodies`` (what may be
sent), ``models`` (what comes back), and ``waits`` (conditions to wait for).
"""
