"""One HTTP request to a Manager: the answer, or an error that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx

from flamenco_core.errors import (
    BadRequest,
    Busy,
    Conflict,
    FlamencoError,
    Forbidden,
    NotAllowed,
    NotFound,
    OutdatedJobType,
    StorageFull,
    TooLarge,
)

__all__ = ["Transport", "manager_url"]

_BY_STATUS: dict[int, type[FlamencoError]] = {
    400: BadRequest,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    406: NotFound,
    409: Conflict,
    412: OutdatedJobType,
    413: TooLarge,
    422: NotAllowed,
    429: Busy,
    503: Busy,
    507: StorageFull,
}


def manager_url(text: str) -> str:
    """Complete a Manager's URL: ``farm:8080`` means ``http://farm:8080``.

    Raises `BadRequest` for what cannot be one.
    """
    url = text.strip()
    url = (url if "://" in url else f"http://{url}").rstrip("/")
    parts = urlsplit(url)
    try:
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise BadRequest(f"{text!r} is no URL of a Manager; write it like http://farm:8080")
    return url


class Transport:
    """Sends requests to one Manager and turns every failure into a `FlamencoError`."""

    def __init__(
        self, url: str, *, timeout: float = 10.0, inner: httpx.BaseTransport | None = None
    ) -> None:
        self.url = manager_url(url)
        # Without TLS the trust store is not needed, and loading it takes longer than a request.
        verify = self.url.startswith("https:")
        loopback = urlsplit(self.url).hostname in ("127.0.0.1", "localhost", "::1")
        # A studio's proxy cannot reach this machine's loopback address.
        self.http = httpx.Client(
            base_url=self.url, timeout=timeout, transport=inner, verify=verify,
            trust_env=not loopback, headers={"User-Agent": "flamenco-cli"},
        )  # fmt: skip

    def close(self) -> None:
        """Close all connections."""
        self.http.close()

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request; return an answer of success, raise for any other."""
        try:
            response = self.http.request(method, path, **options)
        except httpx.HTTPError as error:
            self.unreachable(error)
        self.checked(response)
        return response

    def pieces(self, method: str, path: str) -> Iterator[bytes]:
        """Send a request; yield its answer as it comes, raise if it is no success."""
        try:
            with self.http.stream(method, path) as response:
                if not response.is_success:
                    response.read()
                self.checked(response)
                yield from response.iter_bytes()
        except httpx.HTTPError as error:
            self.unreachable(error)

    def checked(self, response: httpx.Response) -> None:
        """Raise the error that the answer stands for, unless it is a success."""
        if response.is_success:
            return
        kind = _BY_STATUS.get(response.status_code, FlamencoError)
        raise kind(_message(response) or f"{self.url} answered {response.status_code}")

    def unreachable(self, error: httpx.HTTPError) -> NoReturn:
        """Raise `Busy` for a request that got no answer."""
        if isinstance(error, httpx.TimeoutException):
            raise Busy(f"the Manager at {self.url} did not answer in time; try again") from error
        raise Busy(
            f"no Manager answers at {self.url}; start one with 'flamenco manager',"
            f" or name another with --manager URL"
        ) from error


def _message(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return ""
    return str(body.get("message", "")) if isinstance(body, dict) else ""
