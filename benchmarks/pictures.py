"""Time and memory of last-rendered images; see ``over_pictures/bench_pictures.py``."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    # Not this folder: in it, http.py would pass for the standard library's.
    sys.path[0] = str(Path(__file__).with_name("over_pictures"))
    runpy.run_path(str(Path(sys.path[0]) / "bench_pictures.py"), run_name="__main__")
