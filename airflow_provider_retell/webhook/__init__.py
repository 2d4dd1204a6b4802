"""Retell's webhooks as asset events: an app in Airflow's API server, off unless ``[retell] webhook_enabled`` is set."""
