"""Jobs with 'urgent' in their names go first on machines that are named fast-something."""

from flamenco_core import hookimpl


@hookimpl
def choose_task(worker, candidates):
    if worker.name.startswith("fast-"):
        return next((task for task in candidates if "urgent" in task.job_name), None)
    return None
