"""Parts of :class:`~airflow_provider_retell.triggers.record_event.RecordEventTrigger`. A record is a call or a chat."""
