"""Parameters of operators, sensors, triggers and notifiers.

``checks`` validates parameters when the DAG file is read. ``templated`` controls how Airflow renders template fields,
``masked`` hides private values in them, and ``rendered`` converts the values that come out of templates.
"""
