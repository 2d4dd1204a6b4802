"""The map from call ids to small numbers."""

from __future__ import annotations

from typing import Literal

import pytest

from airflow_provider_retell.bulk.digest_map import DigestMap


@pytest.mark.parametrize(("typecode", "largest"), [("B", 255), ("I", 2**32 - 1)])
def test_a_digest_map_keeps_the_last_number_of_each_text_while_it_grows(
    typecode: Literal["B", "I"], largest: int
) -> None:
    numbers = DigestMap(typecode)
    texts = [f"call_{n:x}" for n in range(20_000)]
    assert numbers[texts[0]] == 0
    for n, text in enumerate(texts):
        numbers[text] = n % 256
        numbers[text] = largest - n % 256
    assert [numbers[text] for text in texts] == [largest - n % 256 for n in range(20_000)]
    assert numbers["another"] == 0
    assert numbers["another"] == 0, "a look must not add the text"


def test_the_first_number_of_a_text_stays_as_a_default_while_the_map_grows() -> None:
    numbers = DigestMap("I")
    texts = [f"call_{n:x}" for n in range(50_000)]
    assert [numbers.setdefault(text, n) for n, text in enumerate(texts, start=1)] == [0] * len(texts)
    assert [numbers.setdefault(text, 1) for text in texts] == list(range(1, len(texts) + 1))
    assert numbers.setdefault("another", 7) == 0
    assert numbers["another"] == 7


def test_a_number_of_0_is_replaced_by_a_default() -> None:
    numbers = DigestMap()
    numbers["a"] = 3
    numbers["a"] = 0
    assert numbers.setdefault("a", 2) == 0
    assert numbers["a"] == 2


@pytest.mark.parametrize(("typecode", "most"), [("B", 27), ("I", 36)])
def test_a_digest_map_takes_a_few_bytes_per_text(typecode: Literal["B", "I"], most: int) -> None:
    numbers = DigestMap(typecode)
    for count in range(1, 50_001):
        numbers.setdefault(f"call_{count:x}", 1)
        if count >= 700:
            bytes_per_slot = numbers._table.itemsize + numbers._values.itemsize
            assert len(numbers._table) == len(numbers._values)
            assert len(numbers._table) * bytes_per_slot <= most * count


def test_a_half_surrogate_is_a_text() -> None:
    numbers = DigestMap()
    assert numbers.setdefault("\ud800", 1) == 0
    assert numbers.setdefault("\ud800", 2) == 1
