"""How long a piece of code takes, for benchmarks of what happens within one process."""

from __future__ import annotations

import time
from collections.abc import Callable

from .rows import Failed, Sample, scaled

#: The shortest of several runs counts: another process on the core can only make one longer.  There are so
#: many of them at least, and in so many seconds of CPU time.
REPEATS, SECONDS = 5, 0.4


def perOperation(run: Callable[[int], object], count: int) -> Sample:
    """
    Take the CPU time of an operation, in microseconds, and how often it can be done in a second of it.

    Args:
        run: does the operation as often as its argument says.
        count: how often; fewer in a quick look.
    """
    seconds = SECONDS * scaled(count) / count
    count = scaled(count)
    run(max(1, count // 10))
    times = [_cpuTime(run, count) for _ in range(REPEATS)]
    while sum(times) < seconds:
        times.append(_cpuTime(run, count))
    best = min(times)
    if not best:
        raise Failed("it used no CPU time, or less than the clock can tell")
    return Sample(best / count * 1e6, count / best)


def _cpuTime(run: Callable[[int], object], count: int) -> float:
    start = time.process_time()
    run(count)
    return time.process_time() - start
