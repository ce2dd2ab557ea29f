"""
Benchmarks: ours, on asyncio's loop and on uvloop's, against Twisted on its epoll reactor and the bare loops.

``python -m benchmarks`` runs them all; `benchmarks.rows` is what a benchmark is made of.
"""
