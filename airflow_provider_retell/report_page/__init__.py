"""A page in Airflow's API server that shows the result of a bulk task."""
