"""Read the result of a query from any SQL database of Airflow."""
