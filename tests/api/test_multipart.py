"""Forms as values."""

from __future__ import annotations

from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import HTTP

import pytest

from airflow_provider_retell.api.multipart import Content, ContentError, Multipart, Part


def parsed(form: Multipart) -> list[tuple[str | None, str | None, str, bytes]]:
    """Return field, file name, media type and content of each part, as Python's own parser reads them."""
    body = b"".join(form.read())
    head = f"Content-Type: {form.content_type}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    return [
        (
            part.get_param("name", header="content-disposition"),
            part.get_filename(),
            part.get_content_type(),
            part.get_payload(decode=True),
        )
        for part in message.iter_parts()
    ]


def test_form_can_be_parsed_and_read_again() -> None:
    form = Multipart(
        (
            Part("name", Content.of("ż".encode())),
            Part("file", Content.of(b"\r\n--x\r\n"), "a.pdf", "application/pdf"),
            Part("file", Content.of(b"b"), "b.bin"),
        )
    )
    expected = [
        ("name", None, "text/plain", "ż".encode()),
        ("file", "a.pdf", "application/pdf", b"\r\n--x\r\n"),
        ("file", "b.bin", "application/octet-stream", b"b"),
    ]
    assert parsed(form) == parsed(form) == expected
    assert form.size == len(b"".join(form.read()))


def test_quotes_and_line_breaks_in_names_cannot_end_a_header() -> None:
    part = Part('na"me', Content.of(b"x"), 'fi"le\r\nX-Evil: 1')
    assert part.head().count(b"\r\n") == 3
    assert b'name="na%22me"; filename="fi%22le%0D%0AX-Evil: 1"' in part.head()


def test_forms_have_different_boundaries() -> None:
    assert Multipart(()).boundary != Multipart(()).boundary


def test_repr_of_a_form_has_no_contents() -> None:
    form = Multipart((Part("name", Content.of(b"private"), "a.pdf"),))
    assert "private" not in repr(form)


@pytest.mark.parametrize("size", [0, 3, 5])
def test_content_of_another_size_is_an_error(size: int) -> None:
    with pytest.raises(ContentError, match=f"does not have {size} bytes any more"):
        list(Content(size, lambda: [b"ab", b"cd"]).checked())


def test_content_that_cannot_be_read_is_an_error_without_its_text() -> None:
    def broken() -> Iterator[bytes]:
        yield b"a"
        raise OSError("private")

    with pytest.raises(ContentError, match=r"could not be read \(OSError\)") as caught:
        list(Content(2, broken).checked())
    assert "private" not in str(caught.value)
    assert caught.value.not_processed
    assert not caught.value.permanent


def test_joined_contents_are_read_one_after_the_other() -> None:
    joined = Content.joined([Content.of(b"a"), Content.of(b""), Content.of(b"bc")])
    assert (joined.size, list(joined.read())) == (3, [b"a", b"", b"bc"])
