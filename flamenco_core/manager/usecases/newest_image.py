"""Remember an image that is shown: of which job and task it is, and of which frame."""

from __future__ import annotations

import attrs

from flamenco_core.domain.events import ImageFacts, LastRenderedChanged
from flamenco_core.manager.store import images
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx

__all__ = ["NewImage", "image_facts", "remember_image"]


@attrs.frozen(kw_only=True)
class NewImage:
    """An image whose files are there."""

    id: str
    job: str
    task: str
    frame: int | None


def remember_image(tx: Tx, new: NewImage, keep: int) -> list[str] | None:
    """Note that there is a new image; return the ids of those that it makes needless.

    `None` means that its job is gone, or going: nobody wants it any more. *keep* is how
    many of a job's images stay, besides the newest of each task.
    """
    owner = images.owner_of(tx, new.job, new.task)
    if owner is None:
        return None
    images.insert_image(tx, owner, new.id, new.frame)
    outdated = images.remove_outdated(tx, owner, keep)
    facts = ImageFacts(
        id=new.id, job_id=new.job, task_id=new.task, frame=new.frame, stored_at=tx.now
    )
    tx.emit(LastRenderedChanged(facts))
    return outdated


def image_facts(row: Row) -> ImageFacts:
    """Return what people may know of an image."""
    return ImageFacts(
        id=row.uuid,
        job_id=row.job_uuid,
        task_id=row.task_uuid,
        frame=row.frame,
        stored_at=row.stored_at,
    )
