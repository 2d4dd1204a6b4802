"""Hook methods for contacts."""

from __future__ import annotations

from airflow_provider_retell.api.contacts import endpoints, listings, reading
from airflow_provider_retell.hooks.endpoint import Endpoint, Listing, Steps


class ContactMethods:
    """The endpoints of contacts. ``list_contacts`` reads all pages."""

    find_contact = Steps(reading.find_contact)
    get_contact = Endpoint(endpoints.get_contact)
    list_contacts_page = Endpoint(endpoints.list_contacts)
    list_contacts = Listing(listings.list_contacts)
    create_contact = Endpoint(endpoints.create_contact)
    update_contact = Endpoint(endpoints.update_contact)
    delete_contact = Endpoint(endpoints.delete_contact)
    upload_contact_import_file = Endpoint(endpoints.upload_contact_import_file)
    create_contact_import = Endpoint(endpoints.create_contact_import)
    get_contact_import = Endpoint(endpoints.get_contact_import)
