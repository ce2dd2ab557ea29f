"""
Calls later, calls again and again, and work in slices; the twin of `twisted.internet.task`.

- `_clock`       `Clock`, a reactor's time that a test moves by hand
- `_looping`     `LoopingCall`
- `_cooperator`  `Cooperator`, which shares the reactor's thread between iterators
- `_running`     `deferLater` and `react`
"""

from __future__ import annotations

from ._clock import Clock, DelayedCall
from ._cooperator import (
    _EPSILON as _EPSILON,
)
from ._cooperator import (
    CooperativeTask,
    Cooperator,
    NotPaused,
    SchedulerError,
    SchedulerStopped,
    TaskDone,
    TaskFailed,
    TaskFinished,
    TaskStopped,
    coiterate,
    cooperate,
)
from ._cooperator import (
    _defaultScheduler as _defaultScheduler,
)
from ._cooperator import (
    _theCooperator as _theCooperator,
)
from ._cooperator import (
    _Timer as _Timer,
)
from ._looping import LoopingCall
from ._running import deferLater, react

__all__ = [
    "Clock",
    "CooperativeTask",
    "Cooperator",
    "DelayedCall",
    "LoopingCall",
    "NotPaused",
    "SchedulerError",
    "SchedulerStopped",
    "TaskDone",
    "TaskFailed",
    "TaskFinished",
    "TaskStopped",
    "coiterate",
    "cooperate",
    "deferLater",
    "react",
]
