"""Check job types that are written down as plain tables."""

import csv

import attrs

from flamenco_core import Author, JobType, JobTypeError, hookimpl


@hookimpl
def find_job_type(path):
    if path.suffix != ".csv":
        return None
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    for line, row in enumerate(rows, start=1):
        if len(row) != 2:
            raise JobTypeError(f"{path.name}, line {line}: must be a name and a message")

    @attrs.frozen
    class Table(JobType):
        """Echo each line of a table."""

        name = path.stem
        label = path.stem.title()

        def author(self, author: Author) -> None:
            for task, message in rows:
                author.task(task, "misc").command("echo", {"message": message})

    return Table.offered()
