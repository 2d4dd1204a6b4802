"""Entry point of ``python -m airflow_provider_retell.webhook``."""

from __future__ import annotations

import sys

from airflow_provider_retell.webhook.sender import main

if __name__ == "__main__":
    sys.exit(main())
