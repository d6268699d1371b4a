"""Write each finished job to the log."""

import logging

from flamenco_core import hookimpl
from flamenco_core.domain.events import JobStatusChanged
from flamenco_core.domain.statuses import JobStatus

log = logging.getLogger(__name__)


@hookimpl
def on_event(event):
    match event:
        case JobStatusChanged(job=job) if job.status is JobStatus.COMPLETED:
            log.info("%s is done", job.name)
