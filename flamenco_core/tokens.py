"""Secrets in a form that people can copy and that scanners for leaked secrets find.

A token is ``fl_KIND_ID_SECRET_CHECK``: the id says which one it is and may be shown, the
secret has 256 random bits, and the check tells a typing error from a wrong token without
asking anybody.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import zlib

import attrs

__all__ = ["NOBODY", "Token", "hidden", "make_token", "read_token", "same", "secret_hash"]

_FORM = re.compile(r"fl_([a-z]{3})_([0-9a-f]{8})_([0-9a-f]{64})_([0-9a-f]{8})")
_SOMEWHERE = re.compile(r"(fl_[a-z]{3}_[0-9a-f]{8})_[0-9a-f]+(_[0-9a-f]*)?")


@attrs.frozen(kw_only=True)
class Token:
    """A token; its secret stays out of logs and tracebacks."""

    kind: str
    """Three letters: ``reg`` lets Workers join."""
    id: str
    secret: str = attrs.field(repr=False)

    @property
    def text(self) -> str:
        """The whole of it, to be shown once."""
        body = f"fl_{self.kind}_{self.id}_{self.secret}"
        return f"{body}_{_check(body)}"


def make_token(kind: str) -> Token:
    """Return a new random token of a kind."""
    return Token(kind=kind, id=secrets.token_hex(4), secret=secrets.token_hex(32))


def read_token(text: str) -> Token | None:
    """Read a token; None for anything else, also for one with a typing error."""
    match = _FORM.fullmatch(text.strip())
    if match is None or _check(text.strip().rpartition("_")[0]) != match[4]:
        return None
    return Token(kind=match[1], id=match[2], secret=match[3])


def _check(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


def secret_hash(secret: str) -> str:
    """Return what is stored of a secret; 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


NOBODY = secret_hash("")
"""Compared with for somebody unknown: the time must not tell who is known."""


def same(one: str, other: str) -> bool:
    """Compare two hashes in a time that does not depend on them."""
    return hmac.compare_digest(one, other)


def hidden(text: str) -> str:
    """Return a text without the secrets of tokens in it; their ids stay."""
    return _SOMEWHERE.sub(r"\1_***", text)
