"""What differs between Linux, macOS and Windows; nobody else asks which one it is.

Linux can find processes by their environment and tie a child's life to its parent's.
macOS has process groups only. Windows ends trees with its own tool ``taskkill``.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

__all__ = [
    "BLENDER",
    "adjust_oom_score",
    "blend_association",
    "data_folder",
    "drop_silent_peers",
    "end_politely",
    "find_marked",
    "go_os",
    "group_lives",
    "kill_group",
    "kill_process",
    "lock_file",
    "multicast_socket",
    "on_stop_signals",
    "raise_file_limit",
    "spawn",
    "write_private",
]

WINDOWS = sys.platform == "win32"


def go_os() -> str:
    """Return the platform's name on the wire: linux, darwin, windows."""
    return {"win32": "windows"}.get(sys.platform, sys.platform)


def data_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Return where a user's programs keep their data: the home of a Worker by default."""
    environ = os.environ if environ is None else environ
    if WINDOWS:
        base = environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
        return Path(base) / "Blender Foundation" / "Flamenco"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Flamenco"
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "flamenco"


# ----------------------------------------------------------------------- Blender

BLENDER = {"win32": "blender.exe", "darwin": "Blender"}.get(sys.platform, "blender")
"""Name of Blender's program file."""


def blend_association() -> str | None:
    """Return the program that opens ``.blend`` files; None where nobody says so.

    Windows starts a launcher without a console for them; the real program is beside it.
    """
    if sys.platform != "win32":
        return None
    import winreg

    try:
        kind = winreg.QueryValue(winreg.HKEY_CLASSES_ROOT, ".blend")
        command = winreg.QueryValue(winreg.HKEY_CLASSES_ROOT, rf"{kind}\shell\open\command")
    except OSError:
        return None
    quoted, _, _ = command.removeprefix('"').partition('"')
    program = quoted if command.startswith('"') else command.partition(" ")[0]
    return program.replace("blender-launcher.exe", "blender.exe") or None


# ------------------------------------------------------------------------- files


def write_private(path: Path, text: str) -> None:
    """Replace a file, all or nothing, so that only its owner can read it."""
    # mkstemp makes the file with mode 0600 from the start; a later chmod would be late.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}~")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)  # noqa: PTH105 (both names are of one folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)  # noqa: PTH108
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make new and renamed names in *folder* survive a power cut."""
    if WINDOWS:
        return  # folders cannot be opened there, and NTFS keeps a journal of names
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def lock_file(path: Path) -> BinaryIO | None:
    """Lock *path* as long as the returned file is open; None if somebody else has it."""
    file = path.open("ab")
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            return None
        raise
    return file


# --------------------------------------------------------------------- processes


@functools.cache
def _dies_with_parent() -> tuple[str, ...]:
    """Return a prefix for argv that makes Linux kill the program when we die.

    It is `setpriv` of util-linux, which asks for the signal and then becomes the program.
    Asking through ``preexec_fn`` would run Python between fork and exec, which can
    deadlock in a process that has threads. BusyBox has a setpriv without this option, so
    it is tried once.
    """
    tool = shutil.which("setpriv") if sys.platform == "linux" else None
    if not tool:
        return ()
    prefix = (tool, "--pdeathsig", "KILL", "--")
    tried = subprocess.run([*prefix, "true"], capture_output=True, check=False)
    return prefix if tried.returncode == 0 else ()


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: str | None = None,
    output: int | BinaryIO | None = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    """Start a program at the head of its own process group, output and errors merged.

    *output* is as in `subprocess.Popen`: a pipe, an open file, or None for our own.

    Call it from a thread that lives on: Linux ends the program with the thread that
    started it. Raises `OSError` when it cannot be started.
    """
    options: dict[str, Any] = (
        {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
        if WINDOWS
        else {"start_new_session": True}
    )
    # Look first: from behind the prefix, a missing program would be a mere exit code.
    _must_exist(argv[0], env, cwd)
    return subprocess.Popen(
        [*_dies_with_parent(), *argv],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(env),
        cwd=cwd,
        bufsize=0,
        **options,
    )


def _must_exist(exe: str, env: Mapping[str, str], cwd: str | None) -> None:
    if cwd is not None and not Path(cwd).is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", cwd)
    path = str(Path(cwd) / exe) if cwd and Path(exe).parent != Path() else exe
    if shutil.which(path, path=env.get("PATH")):
        return
    if Path(path).exists() and Path(exe).parent != Path():
        raise PermissionError(errno.EACCES, "this is not an executable file", exe)
    raise FileNotFoundError(errno.ENOENT, "there is no such program", exe)


def end_politely(pid: int) -> None:
    """Ask a process group to end."""
    if sys.platform == "win32":
        with contextlib.suppress(OSError):
            os.kill(pid, signal.CTRL_BREAK_EVENT)
    else:
        _signal_group(pid, signal.SIGTERM)


def kill_group(pid: int) -> None:
    """End a process group by force."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(pid)], capture_output=True, check=False)
    else:
        _signal_group(pid, signal.SIGKILL)


def group_lives(pid: int) -> bool:
    """Say whether any process of the group still runs."""
    if WINDOWS or not _signal_group(pid, 0):
        return False
    # The dead count, too, until somebody collects them; in containers nobody may.
    return sys.platform != "linux" or any(_runs_in_group(entry, pid) for entry in _processes())


def _processes() -> list[str]:
    return [entry.path for entry in os.scandir("/proc") if entry.name.isdigit()]


def _stat(process: str) -> list[str]:
    """Return state, parent, group and so on of a process; nothing when it is gone."""
    try:
        stat = (Path(process) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    # The name of a program may hold blanks and brackets: read from its last bracket on.
    return stat.rpartition(")")[2].split()


def _runs_in_group(process: str, group: int) -> bool:
    stat = _stat(process)
    return len(stat) > 2 and stat[2] == str(group) and stat[0] not in "ZX"


def _signal_group(pid: int, number: int) -> bool:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # macOS says so of zombies; on Linux it belongs to somebody else by now
    return True


def kill_process(pid: int) -> None:
    """End one process by force; one that is gone already is fine."""
    with contextlib.suppress(OSError):
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def find_marked(markers: Mapping[str, str]) -> list[int]:
    """Return the processes of ours whose environment holds all *markers*; Linux only.

    This process and what it was started by are never among them.
    """
    if sys.platform != "linux":
        return []
    wanted = [f"{name}={value}".encode() for name, value in markers.items()]
    spared = set(_ancestors(os.getpid()))
    found = []
    for process in _processes():
        pid = int(Path(process).name)
        if pid in spared:
            continue
        with contextlib.suppress(OSError):
            variables = (Path(process) / "environ").read_bytes().split(b"\0")
            if all(marker in variables for marker in wanted):
                found.append(pid)
    return found


def _ancestors(pid: int) -> Iterator[int]:
    while pid > 0:
        yield pid
        pid = int((_stat(f"/proc/{pid}") or "?0")[1])


def adjust_oom_score(pid: int, score: int) -> None:
    """Tell Linux how readily to end a process when memory runs out, -1000 to 1000.

    Raises `OSError`: lowering it needs privileges.
    """
    if sys.platform == "linux":
        Path(f"/proc/{pid}/oom_score_adj").write_text(str(score), encoding="ascii")


# ----------------------------------------------------------------------- network

_IP_MULTICAST_ALL = 49
"""Linux's number; Python's `socket` has no name for it."""


def multicast_socket(group: str, port: int) -> socket.socket:
    """Open a UDP socket for what is sent to an IPv4 multicast group; it joins nothing.

    Other programs may use the port too, if they allow it. Raises `OSError`.
    """
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sys.platform == "linux":
            # Only what is sent to the group, and only where we have joined it ourselves.
            udp.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
            udp.bind((group, port))
        else:
            # Elsewhere such a socket could not answer, or not be bound at all.
            if hasattr(socket, "SO_REUSEPORT"):
                udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            udp.bind(("", port))
        udp.setblocking(False)
    except OSError:
        udp.close()
        raise
    return udp


def drop_silent_peers(listener: socket.socket, seconds: int) -> None:
    """Give peers up that confirm nothing for *seconds*: switched off, or out of the network.

    It counts for all connections that *listener* accepts. Elsewhere than on Linux the
    system's own patience, of a quarter of an hour or more, stays.
    """
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        for name, value in (
            (socket.TCP_KEEPIDLE, seconds),
            (socket.TCP_KEEPINTVL, max(1, seconds // 4)),
            (socket.TCP_KEEPCNT, 4),
            (socket.TCP_USER_TIMEOUT, seconds * 1000),
        ):
            listener.setsockopt(socket.IPPROTO_TCP, name, value)


def raise_file_limit(wanted: int) -> int | None:
    """Let this process have *wanted* files and connections open at a time, if it may.

    Return how many it can have; None if the system does not count them. The limit is not
    raised further than that: programs that we start inherit it, and some look at each number.
    """
    if sys.platform == "win32":
        return None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    goal = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft == resource.RLIM_INFINITY or goal <= soft:
        return None if soft == resource.RLIM_INFINITY else soft
    # macOS has a smaller limit than it says.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (goal, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


# ----------------------------------------------------------------------- signals


@contextlib.contextmanager
def on_stop_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call *stop* for each SIGINT and SIGTERM (Windows: Ctrl+C, Ctrl+Break) while inside.

    *stop* is called in the main thread between two steps of the program, so it must only
    hand the news on. What was set before is put back at the end.
    """
    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    former = {number: signal.signal(number, lambda *_: stop()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
