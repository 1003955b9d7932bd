from __future__ import annotations

import os

from chaos.plan import peaceful, plan
from chaos.soak.sample import ENOUGH, Sample, leaks

LONG = 2 * ENOUGH


def test_a_process_that_warms_up_and_stays_leaks_nothing() -> None:
    warming = [Sample(60 + number, 20, 4) for number in range(LONG // 4)]
    steady = [Sample(90 + number % 3, 20 + number % 2, 5) for number in range(LONG)]
    assert leaks([*warming, *steady]) == []


def test_what_grows_is_told() -> None:
    assert leaks([Sample(80 + number / 4, 20, 4) for number in range(LONG)]) == ["memory"]
    assert leaks([Sample(80, 20 + number, 4) for number in range(LONG)]) == ["files"]
    assert leaks([Sample(80, 20, 4 + number // 10) for number in range(LONG)]) == ["threads"]


def test_of_a_short_time_nothing_is_told() -> None:
    assert leaks([Sample(80 + 10 * number, 20, 4) for number in range(ENOUGH - 1)]) == []


def test_a_process_is_sampled() -> None:
    sample = Sample.of(os.getpid())
    assert sample.memory > 1
    assert sample.files >= 3
    assert sample.threads >= 1


def test_a_peaceful_plan_leaves_the_operator_alive() -> None:
    plans = [plan(seed) for seed in range(1, 51)]
    kept = [peaceful(p) for p in plans]
    left_out = {step.do for p in plans for step in p.steps} - {step.do for p in kept for step in p.steps}
    assert left_out == {"kill operator", "restart API server", "compact etcd"}
    assert not any(p.kills or p.standby for p in kept)
