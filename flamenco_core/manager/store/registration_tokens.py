"""Rows of registration tokens."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, null, or_, select, update

from flamenco_core.manager.store.admission_tables import registration_tokens as tokens
from flamenco_core.manager.store.query import Query, Row
from flamenco_core.manager.store.tables import tags
from flamenco_core.manager.store.transaction import Tx

__all__ = ["add_token", "all_tokens", "revoke_token", "token_named", "use_token"]

_KNOWN = select(tokens, tags.c.name.label("tag")).join(
    tags, tags.c.id == tokens.c.tag_id, isouter=True
)
_BY_NAME = Query(_KNOWN.where(tokens.c.name == bindparam("token")))
# Those that do nothing any more are shown for a while: people ask why they do not.
_ALL = Query(
    _KNOWN.where(
        or_(tokens.c.expires_at > bindparam("since"), tokens.c.revoked_at > bindparam("since"))
    ).order_by(tokens.c.created_at, tokens.c.name)
)
_ADD = Query(
    insert(tokens).values(
        name=bindparam("name"),
        secret_hash=bindparam("secret_hash"),
        tag_id=bindparam("tag_id", type_=tokens.c.tag_id.type),
        uses=bindparam("uses"),
        used=0,
        created_at=bindparam("now"),
        expires_at=bindparam("expires_at"),
        revoked_at=null(),
    )
)
_USE = Query(
    update(tokens)
    .where(
        tokens.c.name == bindparam("token"),
        tokens.c.used < tokens.c.uses,
        tokens.c.expires_at > bindparam("now"),
        tokens.c.revoked_at.is_(None),
    )
    .values(used=tokens.c.used + 1)
)
_REVOKE = Query(
    update(tokens)
    .where(tokens.c.name == bindparam("token"), tokens.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)


def token_named(tx: Tx, name: str) -> Row | None:
    """Return a token by its public part, with the name of its ``tag``."""
    return tx.one(_BY_NAME, token=name)


def all_tokens(tx: Tx, since: int) -> list[Row]:
    """Return the tokens that could be used after *since*, the oldest first."""
    return tx.all(_ALL, since=since)


def add_token(
    tx: Tx, *, name: str, secret_hash: str, tag_id: int | None, uses: int, expires_at: int
) -> None:
    """Insert a token."""
    tx.run(
        _ADD,
        name=name,
        secret_hash=secret_hash,
        tag_id=tag_id,
        uses=uses,
        expires_at=expires_at,
        now=tx.now,
    )


def use_token(tx: Tx, name: str) -> bool:
    """Take one use of a token; False if it has none left, was revoked or is too old.

    Of two that want the last use, the database lets one have it.
    """
    return tx.run(_USE, token=name, now=tx.now) == 1


def revoke_token(tx: Tx, name: str) -> bool:
    """Make a token useless; False if it was before."""
    return tx.run(_REVOKE, token=name, now=tx.now) == 1
