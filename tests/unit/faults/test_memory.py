"""How fast something grows, as a row of the matrix judges it."""

from __future__ import annotations

import pytest

pytest.importorskip("rich")

from faults.rows.memory import slope_of


@pytest.mark.parametrize("slope", [-2.0, 0.0, 0.5, 6.0])
def test_the_slope_is_that_of_the_line_whatever_the_noise(slope: float) -> None:
    seen = [(1000 + second, 90 + slope * second / 60 + second % 2 * 0.1) for second in range(120)]
    assert slope_of(seen) == pytest.approx(slope, abs=0.01)


def test_one_step_is_less_than_growth() -> None:
    step = [(float(second), 90.0 if second < 60 else 91.0) for second in range(120)]
    growth = [(float(second), 90.0 + second / 20) for second in range(120)]
    assert slope_of(step) < slope_of(growth)
