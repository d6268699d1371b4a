"""Settings: a YAML file, the environment and arguments become one attrs object.

A settings class is a frozen attrs class whose fields have defaults, made with `option`
or plainly. An argument wins over the environment, that over the file, that over the
default. Whatever is wrong is a `ConfigError` that names file, line, key and cure.
"""

from flamenco_core.config.duration import Duration
from flamenco_core.config.load import Loaded, UnknownKey, load_settings
from flamenco_core.config.nodes import Scalar, Section, Wrong
from flamenco_core.config.save import save_settings
from flamenco_core.config.values import option

__all__ = [
    "Duration",
    "Loaded",
    "Scalar",
    "Section",
    "UnknownKey",
    "Wrong",
    "load_settings",
    "option",
    "save_settings",
]
