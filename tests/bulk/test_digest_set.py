"""The set of call ids."""

from __future__ import annotations

from airflow_provider_retell.bulk.digest_set import DigestMap, DigestSet


def test_a_digest_set_takes_at_most_32_bytes_per_text_and_forgets_nothing() -> None:
    digests = DigestSet()
    texts = [f"call_{n:x}" for n in range(50_000)]
    assert all(map(digests.add, texts))
    assert not any(map(digests.add, texts))
    assert digests.add("another")
    assert len(digests._table) * digests._table.itemsize <= 32 * len(texts)


def test_a_digest_map_keeps_the_last_number_of_each_text_while_it_grows() -> None:
    numbers = DigestMap()
    texts = [f"call_{n:x}" for n in range(20_000)]
    assert numbers[texts[0]] == 0
    for n, text in enumerate(texts):
        numbers[text] = 255
        numbers[text] = n % 256
    assert [numbers[text] for text in texts] == [n % 256 for n in range(20_000)]
    assert numbers["another"] == 0
    assert numbers.add("another")
    assert not numbers.add(texts[7])
    assert len(numbers._table) * numbers._table.itemsize <= 32 * len(texts)


def test_a_half_surrogate_is_a_text() -> None:
    digests = DigestSet()
    assert digests.add("\ud800")
    assert not digests.add("\ud800")
