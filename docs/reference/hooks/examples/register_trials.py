"""Test workers with the program that all shots of this studio need."""

from flamenco_core import FlamencoError, hookimpl
from flamenco_core.offers import CommandToRun, Trial


def commands(folder):
    convert = {"exe": "oiiotool", "args": ["--pattern", "checker", "8x8", "3", "-o"]}
    convert["args"].append(f"{folder}/checker.png")
    return [CommandToRun(name="exec", parameters=convert)]


def prove(folder):
    if not (folder / "checker.png").exists():
        raise FlamencoError("oiiotool made no picture; is its license server up?")
    return "made a picture"


@hookimpl
def register_trials():
    return [
        Trial(name="oiio", task_type="misc", commands=commands, prove=prove, picture="checker.png")
    ]
