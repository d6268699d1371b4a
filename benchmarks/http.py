"""Life cycles of tasks per second over real HTTP; see ``over_http/bench_http.py``.

python benchmarks/http.py [--quick] [--json]
python benchmarks/http.py --database postgresql --managers 2 [--quick] [--json]
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    # Not this folder: in it, this file would pass for the standard library's http.
    sys.path[0] = str(Path(__file__).with_name("over_http"))
    runpy.run_path(str(Path(sys.path[0]) / "bench_http.py"), run_name="__main__")
