"""Apache Airflow provider for Retell AI, the voice-agent platform."""

__version__ = "0.1.0"
