"""Where the Manager is; several Managers that share a database are as good as one."""

from __future__ import annotations

import logging
import re

__all__ = ["Addresses", "normal_url"]

log = logging.getLogger(__name__)


def normal_url(url: str) -> str:
    """Return *url* with a scheme and a slash at the end; a sub-path is kept."""
    url = url.strip()
    if "://" not in url:
        url = f"http://{url}"
    return url if url.endswith("/") else f"{url}/"


class Addresses:
    """One URL, or several with commas or spaces between them; one of them is in use."""

    def __init__(self, text: str) -> None:
        parts = [part for part in re.split(r"[,\s]+", text) if part]
        self._urls = [*dict.fromkeys(map(normal_url, parts or [text]))]
        self._at = 0

    @property
    def url(self) -> str:
        """The one in use."""
        return self._urls[self._at]

    def leave(self, url: str) -> None:
        """Use the next one from now on: nobody answers at *url*.

        Requests run side by side; only the first that fails at an address leaves it.
        """
        if len(self._urls) > 1 and url == self.url:
            self._at = (self._at + 1) % len(self._urls)
            log.warning("no Manager answers at %s; trying %s", url, self.url)
