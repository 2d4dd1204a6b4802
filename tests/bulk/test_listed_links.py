"""When a call without a link in a listing is read."""

from __future__ import annotations

from airflow_provider_retell.bulk.recordings.listed_links import ListedLinks

CONFIRMATIONS = 20


def test_a_link_is_complete_after_reads_that_show_nothing_new() -> None:
    links = ListedLinks()
    links.note_listed(["recording"])
    for _ in range(CONFIRMATIONS):
        assert not links.are_complete("recording")
        links.note_read(["recording"], [])
    assert links.are_complete("recording")


def test_a_link_that_a_listing_left_out_once_is_never_complete() -> None:
    links = ListedLinks()
    links.note_listed(["recording"])
    links.note_read(["recording"], ["recording"])
    for _ in range(2 * CONFIRMATIONS):
        links.note_read(["recording"], [])
    assert not links.are_complete("recording")
