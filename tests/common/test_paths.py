"""Paths without secrets."""

from __future__ import annotations

import pytest

from airflow_provider_retell.common.paths import check_no_secrets, file_name, safe_path


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/data/rows 100%?.csv", "/data/rows 100%?.csv"),
        ("file:///data/rows?.csv", "file:///data/rows?.csv"),
        ("s3://bucket/rows.csv", "s3://bucket/rows.csv"),
        ("s3://conn@bucket/rows#1.csv", "s3://conn@bucket/rows#1.csv"),
        ("s3://KEY:SECRET@bucket/rows.csv", "s3://***@bucket/rows.csv"),
        ("s3://KEY:SEC/RE+T@bucket/rows.csv", "s3://***@bucket/rows.csv"),
        ("s3://host:9000/rows@1.csv", "s3://host:9000/rows@1.csv"),
        ("https://token@host/rows.csv", "https://***@host/rows.csv"),
        (
            "https://a.blob.core.windows.net/c/r.csv?sv=1&sig=SECRET",
            "https://a.blob.core.windows.net/c/r.csv?***",
        ),
        (
            "abfss://c@account.dfs.core.windows.net/r.csv?sig=SECRET",
            "abfss://c@account.dfs.core.windows.net/r.csv?***",
        ),
        ("sftp://user:SECRET@host/r.csv?x=SECRET", "sftp://***@host/r.csv?***"),
    ],
)
def test_a_path_is_shown_without_secrets(path: str, shown: str) -> None:
    assert safe_path(path) == shown
    assert "SECRET" not in safe_path(path)
    assert safe_path(shown) == shown


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("https://host/c/Rows.CSV?sig=a.jsonl", "/c/rows.csv"),
        ("/data/rows?.csv", "/data/rows?.csv"),
        ("s3://bucket/rows.csv.gz", "/rows.csv.gz"),
    ],
)
def test_the_suffix_is_that_of_the_path_without_its_query(path: str, name: str) -> None:
    assert file_name(path) == name


def test_a_password_in_a_path_is_rejected_in_words() -> None:
    check_no_secrets("path", "s3://conn@bucket/rows.csv")
    with pytest.raises(
        ValueError, match=r"path must not contain a user name or password.*s3://\*\*\*@bucket/r"
    ):
        check_no_secrets("path", "s3://KEY:SECRET@bucket/rows.csv")
