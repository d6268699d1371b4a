"""The studio's texture library, under its name on each platform."""

from flamenco_core import Variable, hookimpl
from flamenco_core.offers import VariableValue


@hookimpl
def register_variables():
    values = (
        VariableValue(platform="linux", value="/mnt/textures"),
        VariableValue(platform="windows", value="T:\\"),
    )
    return [Variable(name="textures", values=values, is_twoway=True)]
