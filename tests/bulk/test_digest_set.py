"""The set of call ids."""

from __future__ import annotations

from airflow_provider_retell.bulk.digest_set import DigestSet


def test_a_digest_set_takes_at_most_32_bytes_per_text_and_forgets_nothing() -> None:
    digests = DigestSet()
    texts = [f"call_{n:x}" for n in range(50_000)]
    assert all(map(digests.add, texts))
    assert not any(map(digests.add, texts))
    assert digests.add("another")
    assert len(digests._table) * digests._table.itemsize <= 32 * len(texts)
