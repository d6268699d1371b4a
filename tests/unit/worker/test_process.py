from __future__ import annotations

import asyncio
import os
import shutil
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest

from flamenco_core import platform
from flamenco_core.clock import SystemClock
from flamenco_core.errors import CommandError
from flamenco_core.testing import FakeClock
from flamenco_core.worker.process import Launch, end_marked, run_program, shell_line

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="uses a POSIX shell")
linux = pytest.mark.skipif(sys.platform != "linux", reason="finds processes through /proc")


class Lines(list[str]):
    pid = 0
    seen: Callable[[str], object] = staticmethod(lambda line: None)

    async def __call__(self, pid: int, line: str) -> None:
        self.pid = pid
        self.append(line)
        self.seen(line)


def launch(*argv: str, grace: float = 5.0, env: dict[str, str] | None = None) -> Launch:
    return Launch(argv=argv, env={**os.environ, **(env or {})}, grace=grace)


async def run(*argv: str, on_line: Callable[[int, str], Awaitable[object]] | None = None) -> Lines:
    lines = Lines()
    await run_program(launch(*argv), on_line or lines, SystemClock())
    return lines


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


async def gone(pid: int) -> None:
    with anyio.fail_after(5):
        while alive(pid):
            await anyio.sleep(0.01)


async def test_output_and_errors_come_merged_line_by_line() -> None:
    lines = await run("sh", "-c", "echo one; echo two >&2; printf three")
    assert lines == ["one", "two", "three"]


async def test_arguments_are_not_given_to_a_shell() -> None:
    assert await run("echo", "$HOME; ls", "a b") == ["$HOME; ls a b"]


async def test_a_program_has_no_input_to_wait_for() -> None:
    assert await run("cat") == []


async def test_another_exit_code_than_zero_is_an_error() -> None:
    with pytest.raises(CommandError, match=r"^command exited abnormally with code 3$"):
        await run("sh", "-c", "exit 3")


async def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandError, match=r"cannot start 'no-such-program-1'"):
        await run("no-such-program-1")


async def test_a_file_that_is_no_program_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(CommandError, match="not an executable file"):
        await run(str(tmp_path / "notes.txt"))


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    wrong = Launch(argv=["true"], env=os.environ, cwd=str(tmp_path / "nowhere"))
    with pytest.raises(CommandError, match="nowhere"):
        await run_program(wrong, Lines(), SystemClock())


async def test_an_argument_with_a_nul_is_an_error_and_not_a_crash() -> None:
    with pytest.raises(CommandError, match="cannot start"):
        await run("echo", "a\0b")


async def test_it_runs_in_the_given_folder_with_the_given_environment(tmp_path: Path) -> None:
    lines = Lines()
    env = {"PATH": os.environ["PATH"], "FRAME": "24"}
    await run_program(
        Launch(argv=["sh", "-c", "pwd; echo $FRAME"], env=env, cwd=str(tmp_path)),
        lines,
        SystemClock(),
    )
    assert lines == [str(tmp_path), "24"]


async def test_a_lot_of_output_arrives_completely() -> None:
    lines = await run("sh", "-c", "seq 1 50000")
    assert lines == [str(n) for n in range(1, 50_001)]


async def test_an_error_in_reading_a_line_ends_the_program() -> None:
    pids = []

    async def fail(pid: int, line: str) -> None:
        pids.append(pid)
        raise ValueError("cannot parse this")

    with pytest.raises(ExceptionGroup) as caught:
        await run("sh", "-c", "echo x; exec sleep 100", on_line=fail)
    assert caught.group_contains(ValueError, match="cannot parse")
    await gone(pids[0])


@linux
async def test_what_a_program_leaves_in_its_group_ends_with_it() -> None:
    lines = await run("sh", "-c", "sleep 100 & echo $!")
    await gone(int(lines[0]))


@linux
async def test_an_escaped_process_that_holds_the_pipe_does_not_hold_up_the_task() -> None:
    mark = {"FLAMENCO_TEST_MARK": os.urandom(8).hex()}
    lines = Lines()
    asked = launch("sh", "-c", "setsid sleep 100 & echo started", env=mark)
    with anyio.fail_after(5):
        await run_program(asked, lines, SystemClock())
    assert lines == ["started"]
    assert await end_marked(mark) == 1


@linux
@pytest.mark.parametrize("closed", [False, True], ids=["stopped", "closed"])
def test_a_reader_that_outlives_the_event_loop_ends_by_itself(tmp_path: Path, closed: bool) -> None:
    os.mkfifo(tmp_path / "fifo")
    # The escaped one holds the pipe open, and writes when the loop has gone.
    escaped = f"echo escaped; read go < '{tmp_path / 'fifo'}'; echo late"
    lines = Lines()

    async def cancelled() -> None:
        with anyio.CancelScope() as scope:
            lines.seen = lambda _: scope.cancel()
            asked = launch("sh", "-c", 'setsid sh -c "$ESCAPED" & wait', env={"ESCAPED": escaped})
            await run_program(asked, lines, SystemClock())

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(cancelled())
        threads = [each for each in threading.enumerate() if each.name == f"pid {lines.pid}"]
        assert threads
        if closed:
            loop.close()
        with (tmp_path / "fifo").open("r+b", buffering=0) as fifo:
            fifo.write(b"go\n")
            for thread in threads:
                thread.join(timeout=5)
        assert not any(thread.is_alive() for thread in threads)
    finally:
        # With a coroutine in its queue this would warn that nobody awaited it.
        loop.close()
    assert lines == ["escaped"]


@linux
async def test_last_words_that_nobody_wants_do_not_fill_the_pipe(clock: FakeClock) -> None:
    lines = Lines()
    script = "trap 'seq 1 50000; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    with anyio.fail_after(5), anyio.CancelScope() as scope:
        lines.seen = lambda _: scope.cancel()
        await run_program(launch("sh", "-c", script, grace=3600), lines, clock)
    assert lines == ["ready"]


@linux
async def test_cancelling_ends_the_whole_tree_politely() -> None:
    lines = Lines()
    script = "trap 'echo bye; exit 0' TERM; sleep 100 & echo $!; wait"
    with anyio.CancelScope() as scope:
        lines.seen = lambda _: scope.cancel()
        await run_program(launch("sh", "-c", script), lines, SystemClock())
    assert scope.cancelled_caught
    await gone(lines.pid)
    await gone(int(lines[0]))


@linux
async def test_who_does_not_go_politely_is_killed_after_the_grace_time() -> None:
    lines = Lines()
    script = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
    with anyio.CancelScope() as scope, anyio.fail_after(5):
        lines.seen = lambda _: scope.cancel()
        await run_program(launch("sh", "-c", script, grace=0.1), lines, SystemClock())
    await gone(lines.pid)


@linux
async def test_the_grace_time_is_of_the_clock_and_can_be_cut_short(clock: FakeClock) -> None:
    lines = Lines()
    script = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
    asked = launch("sh", "-c", script, grace=3600)
    async with anyio.create_task_group() as group:

        def cut_short(line: str) -> None:
            asked.hurry.set()
            group.cancel_scope.cancel()

        lines.seen = cut_short
        group.start_soon(run_program, asked, lines, clock)
    await gone(lines.pid)


@linux
async def test_children_with_a_session_of_their_own_are_found_by_their_mark() -> None:
    mark = {"FLAMENCO_TEST_MARK": f"{os.getpid()}-{os.urandom(4).hex()}"}
    lines = Lines()
    script = "setsid sh -c 'sleep 100 & sleep 100' & echo started; sleep 100"
    with anyio.CancelScope() as scope:
        lines.seen = lambda _: scope.cancel()
        await run_program(launch("sh", "-c", script, env=mark), lines, SystemClock())
    await end_marked(mark)
    assert platform.find_marked(mark) == []
    assert await end_marked(mark) == 0


@linux
def test_a_mark_must_match_to_the_letter_and_spares_ourselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert os.getpid() not in platform.find_marked({"PATH": os.environ["PATH"]})
    assert platform.find_marked({"PATH": os.environ["PATH"] + "-other"}) == []


@linux
@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs util-linux")
def test_a_program_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    import subprocess

    code = (
        "import os, time\n"
        "from flamenco_core import platform\n"
        "child = platform.spawn(['sleep', '100'], env=os.environ)\n"
        "time.sleep(0.2)\n"
        "print(child.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False)
    pid = int(done.stdout)
    anyio.run(gone, pid)


async def test_the_command_line_can_be_pasted_into_a_shell() -> None:
    assert shell_line(["/a b/blender", "-P", "x'y"]) == """'/a b/blender' -P 'x'"'"'y'"""


@linux
async def test_the_oom_score_is_that_of_the_child() -> None:
    lines = Lines()
    own = Path("/proc/self/oom_score_adj").read_text()
    # It is set just after the start: the program waits for it, however busy the machine is.
    script = (
        "for i in $(seq 200); do"
        ' [ "$(cat /proc/self/oom_score_adj)" = 500 ] && break; sleep 0.05; done;'
        " cat /proc/self/oom_score_adj"
    )
    asked = Launch(argv=["sh", "-c", script], env=os.environ, oom_score=500)
    await run_program(asked, lines, SystemClock())
    assert lines == ["500"]
    assert Path("/proc/self/oom_score_adj").read_text() == own
