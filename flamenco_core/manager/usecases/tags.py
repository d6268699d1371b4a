"""Make tags and give them to workers."""

from __future__ import annotations

from collections.abc import Sequence

from flamenco_core.domain.events import WorkerUpdated
from flamenco_core.errors import BadRequest
from flamenco_core.manager.store import tags as tag_rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.ids import next_ids
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx

__all__ = ["create_tag", "set_worker_tags"]


def create_tag(tx: Tx, uuid: str, name: str, description: str) -> Row:
    """Make a tag; raises `BadRequest` for a name or id that is taken, or an empty name."""
    if not name.strip():
        raise BadRequest("a tag needs a name")
    if tag_rows.tag_by_name(tx, name) or tag_rows.tag_by_uuid(tx, uuid):
        raise BadRequest(f"there is already a tag with the name {name!r} or the id {uuid}")
    tag_rows.insert_tag(tx, id=next_ids(tx, "tags"), uuid=uuid, name=name, description=description)
    row = tag_rows.tag_by_uuid(tx, uuid)
    assert row is not None, "a tag that was just inserted"
    return row


def set_worker_tags(tx: Tx, worker_id: str, tag_ids: Sequence[str]) -> None:
    """Give a worker exactly these tags; unknown ones are passed over, as in Flamenco."""
    row = worker_rows.lock_worker(tx, worker_id)
    found = (tag_rows.tag_by_uuid(tx, uuid) for uuid in dict.fromkeys(tag_ids))
    tag_rows.replace_worker_tags(tx, row.id, [tag.id for tag in found if tag])
    tx.emit(WorkerUpdated(worker_rows.worker_facts(row, updated=tx.now)))
    # An idle worker waits at the pools of its old tags: let it ask again.
    tx.wake(worker_id)
