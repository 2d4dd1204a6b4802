"""A webhook receiver in Airflow's API server, off unless ``[retell] webhook_enabled`` is set."""
