"""Parts of :class:`~airflow_provider_retell.triggers.call_event.CallEventTrigger`."""
