"""The parent's side: turns, deadlines, and children that misbehave."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from flamenco_javascript.compiler import Compiler, OverLimit
from flamenco_javascript.folder import Script
from flamenco_javascript.process import Child, Output
from flamenco_javascript.settings import Settings

from flamenco_core.errors import Busy, JobTypeError

SCRIPT = Script(name="x", path=Path("x.js"))


class HeldChild:
    """A child that answers when it is let go."""

    at_work = 0
    most_at_work = 0

    def __init__(self, gate: threading.Event) -> None:
        self._gate = gate

    def ask(self, request: bytes, *, seconds: float, most: int) -> Output:
        cls = type(self)
        cls.at_work += 1
        cls.most_at_work = max(cls.most_at_work, cls.at_work)
        self._gate.wait(10)
        cls.at_work -= 1
        return Output(b'{"ok":{}}', 0, late=False, overflow=False)


async def test_two_run_twenty_wait_and_the_next_is_told_to_come_again() -> None:
    gate = threading.Event()
    compiler = Compiler(Settings(), lambda: HeldChild(gate))  # type: ignore[arg-type,return-value]
    done: list[bytes] = []

    async def ask() -> None:
        done.append(await compiler.ask(SCRIPT, "describe"))

    try:
        async with anyio.create_task_group() as group:
            for _ in range(22):
                group.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(Busy, match="try again"):
                await compiler.ask(SCRIPT, "describe")
            gate.set()
    finally:
        gate.set()
    assert len(done) == 22
    assert HeldChild.most_at_work == 2


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Callable[[], Child]]:
    """Make children that run a Python program instead of a script."""

    def make(text: str) -> Callable[[], Child]:
        path = tmp_path / "program.py"
        path.write_text(text)
        return lambda: Child(path)

    return make


Program = Callable[[str], Callable[[], Child]]


async def refusal(start: Callable[[], Child], **limits: float) -> OverLimit:
    compiler = Compiler(Settings(**limits), start)  # type: ignore[arg-type]
    with pytest.raises(JobTypeError) as raised:
        await compiler.ask(SCRIPT, "describe")
    assert isinstance(raised.value, JobTypeError)
    return raised.value  # type: ignore[return-value]


async def test_a_child_that_hangs_is_killed_with_all_it_started(
    program: Program, tmp_path: Path
) -> None:
    start = program(
        "import subprocess, sys, os, threading\n"
        "other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'pids')!r}, 'w').write(f'{{os.getpid()}} {{other.pid}}')\n"
        "threading.Event().wait(60)\n"
    )
    began = time.perf_counter()
    error = await refusal(start, kill_after=0.6)
    assert "too slow" in str(error)
    assert time.perf_counter() - began < 5
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert not runs(pids[0])
    # The other one is nobody's child any more; it is killed, but nobody waits for its end.
    with anyio.fail_after(5):
        while runs(pids[1]):
            await anyio.sleep(0.01)


def runs(pid: int) -> bool:
    """Say whether a process goes on; one that only waits to be buried does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


async def test_a_child_that_never_stops_talking_is_cut_off(program: Program) -> None:
    start = program("import sys\nwhile True: sys.stdout.write('x' * 65536)\n")
    error = await refusal(start, answer_mb=1)
    text = "x.js: too large: the job is more than 1 MB (plugins: javascript: answer_mb)"
    assert str(error) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "print('# Fatal JavaScript out of memory: x', flush=True); import os; os.abort()",
            "too much memory",
        ),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "too slow"),
        ("raise SystemExit(7)", "crashed the script engine (code 7)"),
        ("print('no json')", "crashed the script engine (code 0)"),
        ("print('{\"ok\": ')", "crashed the script engine (code 0)"),
        ("print('[1]')", "crashed the script engine (code 0)"),
        ("print('{}')", "the script gave no answer"),
        ('print(\'{"error": {"kind": "odd"}}\')', "crashed the script engine (code 0)"),
        ("import sys; sys.stdin.close(); raise MemoryError", "too much memory"),
    ],
)
async def test_a_child_that_dies_is_an_error_of_the_script(
    program: Program, text: str, message: str
) -> None:
    assert message in str(await refusal(program(text)))


async def test_what_the_engine_prints_before_the_answer_does_no_harm(program: Program) -> None:
    start = program('print(\'[1:0x5] 12 ms: Scavenge\\n{"ok": 1}\\n\\n{"ok":{"a":1}}\')')
    assert await Compiler(Settings(), start).ask(SCRIPT, "describe") == b'{"a":1}'


async def test_what_was_said_is_looked_at_before_it_is_logged(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    said = '[["info", "a"], ["shout", "b"], ["info", 5], 7, ["warning", "c"]]'
    caplog.set_level("INFO")
    start = program(f'print(\'{{"ok":1,"said":{said}}}\')')
    await Compiler(Settings(), start).ask(SCRIPT, "describe")
    assert caplog.messages == ["x.js: a", "x.js: c"]


async def test_python_is_started_isolated_from_its_surroundings(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("SECRET", "x")
    start = program(
        "import sys, os, json\n"
        "print(json.dumps({'ok': [sys.flags.isolated, sys.flags.no_site, 'SECRET' in os.environ]}))"
    )
    answer = await Compiler(Settings(), start).ask(SCRIPT, "describe")
    assert answer == b"[1, 1, false]"


def test_ending_a_child_twice_does_no_harm() -> None:
    child = Child()
    child.end()
    child.end()
    assert not runs(child.pid)


def test_a_child_whose_parent_goes_away_goes_as_well() -> None:
    child = Child()
    assert child._process.stdin is not None
    child._process.stdin.close()
    assert child._process.wait(20) == 0
    child.end()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such handles")
async def test_files_of_the_manager_are_not_open_in_the_child(
    program: Program, tmp_path: Path
) -> None:
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)
        start = program(
            "import os\n"
            f"try: os.fstat({secret.fileno()}); print('{{\"ok\":1}}')\n"
            "except OSError: print('{\"ok\":0}')"
        )
        assert await Compiler(Settings(), start).ask(SCRIPT, "describe") == b"0"
