"""Multipart bodies, as values. Their contents are read while a request is sent, so memory holds one chunk at a time."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field

from airflow_provider_retell.api.errors import RetellError

__all__ = ["Content"]


@dataclass(frozen=True)
class Content:
    """Bytes that can be read more than once, because a retry sends them again.

    :ivar size: the number of bytes.
    :ivar read: returns the bytes from the beginning, in chunks.
    """

    size: int
    read: Callable[[], Iterable[bytes]] = field(repr=False)

    @classmethod
    def of(cls, data: bytes) -> Content:
        """Return *data*, which is in memory, as content."""
        return cls(len(data), lambda: (data,))

    @classmethod
    def joined(cls, contents: Iterable[Content]) -> Content:
        """Return several contents as one."""
        contents = tuple(contents)
        return cls(
            sum(content.size for content in contents),
            lambda: (chunk for content in contents for chunk in content.checked()),
        )

    def checked(self) -> Generator[bytes, None, None]:
        """Yield the chunks.

        :raises ContentError: if they cannot be read, or do not add up to ``size``.
        """
        size = 0
        try:
            for chunk in self.read():
                size += len(chunk)
                if size > self.size:
                    break
                yield chunk
        except RetellError:
            raise
        except Exception as error:
            raise ContentError(
                f"A file could not be read ({type(error).__name__}). Run the task again"
            ) from error
        if size != self.size:
            raise ContentError(
                f"A file does not have {self.size:,} bytes any more: it was changed while it was sent. Run the task "
                "again"
            )


class ContentError(RetellError):
    """A file could not be read, or was changed, while it was sent. The request was broken off."""

    @property
    def not_processed(self) -> bool:
        """True: Retell did not get the end of the body."""
        return True


@dataclass(frozen=True)
class Part:
    """A field of a form, or a file if it has the name of one."""

    name: str
    content: Content = field(repr=False)
    filename: str | None = None
    content_type: str = "application/octet-stream"

    def head(self) -> bytes:
        """Return the headers of the part."""
        disposition = f'form-data; name="{_quoted(self.name)}"'
        if self.filename is None:
            return f"Content-Disposition: {disposition}\r\n\r\n".encode()
        return (
            f'Content-Disposition: {disposition}; filename="{_quoted(self.filename)}"\r\n'
            f"Content-Type: {self.content_type}\r\n\r\n"
        ).encode()


@dataclass(frozen=True)
class Multipart:
    """A body of the type ``multipart/form-data``."""

    parts: tuple[Part, ...]
    boundary: str = field(default_factory=lambda: f"retell-{secrets.token_hex(16)}", repr=False)

    @property
    def content_type(self) -> str:
        """The value of the header Content-Type."""
        return f"multipart/form-data; boundary={self.boundary}"

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self._all.size

    def read(self) -> Generator[bytes, None, None]:
        """Yield the body from the beginning, in chunks.

        :raises ContentError: if a file cannot be read or has changed. The body then lacks its end.
        """
        return self._all.checked()

    @property
    def _all(self) -> Content:
        contents = []
        for part in self.parts:
            contents.append(Content.of(f"--{self.boundary}\r\n".encode() + part.head()))
            contents += [part.content, Content.of(b"\r\n")]
        return Content.joined([*contents, Content.of(f"--{self.boundary}--\r\n".encode())])


def _quoted(text: str) -> str:
    """Return *text* as browsers put it between quotes in the headers of a part."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
