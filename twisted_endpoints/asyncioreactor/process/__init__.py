"""
Child processes.

- `reactor`             `spawnProcess`
- `piped`, `terminal`   a process with pipes, and one on a terminal: what their protocols have as transport
- `running`             what the two have in common: the process itself, and its end
- `spawn`, `launcher`   how a program is started, and the program that starts what `subprocess` can't
- `pipes`               this process's ends of what leads to the other
- `ending`              who notices the end
"""

from __future__ import annotations

from .reactor import Processes

__all__ = ["Processes"]
