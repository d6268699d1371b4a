"""What the contract tests of all hooks share."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from flamenco_core import hookimpl
from flamenco_core.plugins import Plugins, Side
from flamenco_core.testing.fake_clock import FakeClock

EXAMPLES = Path(__file__).parents[2] / "docs" / "reference" / "hooks" / "examples"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Import the example that a hook's page shows."""

    def load(hook: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"example_{hook}", EXAMPLES / f"{hook}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def load() -> Callable[..., Plugins]:
    """Make the plugins of one process; the last one given is asked first."""

    def make(side: Side, *plugins: object, strict: bool = True) -> Plugins:
        loaded = Plugins(side, strict=strict)
        for number, plugin in enumerate(plugins):
            loaded.register(plugin, getattr(plugin, "__name__", f"plugin{number}"))
        return loaded

    return make


@pytest.fixture
def implementing() -> Callable[..., Any]:
    """Make a plugin out of one function: ``implementing(on_event=function)``."""

    def make(name: str = "", **hooks: Callable[..., Any]) -> ModuleType:
        module = ModuleType(name or "plugin_" + "_".join(hooks))
        for hook, function in hooks.items():
            setattr(module, hook, hookimpl(specname=hook)(function))
        return module

    return make


@pytest.fixture
def host() -> Any:
    """A host with a clock that stands still."""
    return SimpleNamespace(clock=FakeClock(), settings_of=lambda plugin, kind: kind())
