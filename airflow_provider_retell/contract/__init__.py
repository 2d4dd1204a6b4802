"""The assumptions about Retell's API that this package relies on, each as a check that can be run against an account.

``python -m airflow_provider_retell.contract --conn-id retell_default`` runs the checks that only read.

A check is a flow, so that both hooks can run it. Its finding has status codes, field names and shapes, never values.
Each resource has a module or package with its checks, and ``resources`` lists them.
"""
