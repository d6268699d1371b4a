"""No rendering with Blender while the disk is nearly full."""

import shutil

from flamenco_core import Problem, hookimpl

NEEDED = 10 * 1024**3


@hookimpl
def check_readiness():
    free = shutil.disk_usage(".").free
    if free < NEEDED:
        yield Problem(f"only {free // 1024**2} MB are free here", affects=("blender",))
