"""Hook methods for calls and batches."""

from __future__ import annotations

from airflow_provider_retell.api.calls import endpoints, listings, update
from airflow_provider_retell.hooks.endpoint import Endpoint, Listing, Steps


class CallMethods:
    """The endpoints of calls. ``list_calls`` reads all pages."""

    update_call_checked = Steps(update.update_call_checked)
    update_call = Endpoint(endpoints.update_call)
    update_live_call = Endpoint(endpoints.update_live_call)
    get_call = Endpoint(endpoints.get_call)
    list_calls_page = Endpoint(endpoints.list_calls)
    list_calls = Listing(listings.list_calls)
    create_phone_call = Endpoint(endpoints.create_phone_call)
    create_batch_call = Endpoint(endpoints.create_batch_call)
    stop_call = Endpoint(endpoints.stop_call)
    delete_call = Endpoint(endpoints.delete_call)
    rerun_call_analysis = Endpoint(endpoints.rerun_call_analysis)
