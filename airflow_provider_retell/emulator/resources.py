"""The resources that the emulator serves, and the places to touch to add one.

A resource is a package with the same modules each time, as far as it has them. To add one, for example voices:

1. ``emulator/voices/``: ``backend.py`` (a subclass of :class:`~.backend.Backend`), ``bodies.py`` (the schemas of
   the request bodies), ``endpoints.py`` (``ROUTES``, with a function for each endpoint), and as needed ``samples.py``
   (complete objects) and ``vocabulary.py`` (statuses and other fixed values). Give endpoints that need more than a
   screen a module of their own, as ``calls/listing.py``.
2. ``resources.py``: add the ``ROUTES`` of each of its modules. Keys, permissions, quotas, faults and
   recording then work, and ``Faults.add`` accepts the ids in its paths.
3. ``organization/organization.py``: create the backend in ``__init__`` and add it to ``backends``. Resetting and
   the control API (``/_emulator/voices``) then work.
4. ``emulator/voices/objects.py``: a subclass of :class:`~.objects.Objects` with the properties and methods for tests
   (``voices``, ``add_voice``, ``edit_voice``), which ``Organization`` and ``Emulator`` inherit.
5. ``emulator/voices/options.py``: an ``undocumented`` field for each point that Retell does not document. ``Options``
   inherits it. The command line sets it with ``--option NAME=VALUE``, and the contract needs a check for it.
6. ``control.py``: a line in the docstring.
7. ``tests/emulator/voices/``, with the vendor's SDK as the client.
"""

from __future__ import annotations

from airflow_provider_retell.emulator.agents import endpoints as agents
from airflow_provider_retell.emulator.calls import endpoints as calls
from airflow_provider_retell.emulator.calls import listing as lists_of_calls
from airflow_provider_retell.emulator.calls import placing, updates
from airflow_provider_retell.emulator.chats import endpoints as chats
from airflow_provider_retell.emulator.contacts import endpoints as contacts
from airflow_provider_retell.emulator.engines import endpoints as engines
from airflow_provider_retell.emulator.knowledge_bases import endpoints as knowledge_bases
from airflow_provider_retell.emulator.organization import endpoints as organization
from airflow_provider_retell.emulator.phone_numbers import endpoints as phone_numbers
from airflow_provider_retell.emulator.recordings import endpoints as recordings
from airflow_provider_retell.emulator.simulations import endpoints as simulations
from airflow_provider_retell.emulator.simulations import listing as lists_of_simulations

ROUTES = (
    *agents.ROUTES,
    *calls.ROUTES,
    *lists_of_calls.ROUTES,
    *placing.ROUTES,
    *updates.ROUTES,
    *chats.ROUTES,
    *contacts.ROUTES,
    *engines.ROUTES,
    *knowledge_bases.ROUTES,
    *organization.ROUTES,
    *phone_numbers.ROUTES,
    *recordings.ROUTES,
    *simulations.ROUTES,
    *lists_of_simulations.ROUTES,
)
"""The routes of all resources."""
