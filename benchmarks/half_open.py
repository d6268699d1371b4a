"""Half-open connections, and everybody else; see ``over_http/bench_half_open.py``.

python benchmarks/half_open.py [--quick] [--json]
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    # Not this folder: in it, http.py would pass for the standard library's http.
    sys.path[0] = str(Path(__file__).with_name("over_http"))
    runpy.run_path(str(Path(sys.path[0]) / "bench_half_open.py"), run_name="__main__")
