"""Parameters of operators, sensors, triggers and notifiers.

``checks`` validates parameters when the DAG file is read, ``rendered`` converts values that come
out of templates, ``masked`` hides private values in template fields.
"""
