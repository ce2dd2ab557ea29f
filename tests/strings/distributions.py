"""Fake distributions: a folder on `sys.path` with modules, and metadata that announces parsers."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

import pytest

from twisted_endpoints.strings import registry

#: A parser of each role by the bare interface, as somebody without our base classes writes one.
BARE = """
    class Endpoint:
        def __init__(self, *args, **kwargs):
            self.args, self.kwargs = args, kwargs
        def listen(self, factory): ...
        def connect(self, factory): ...

    class Parser:
        def parseStreamServer(self, reactor, *args, **kwargs):
            return Endpoint(reactor, *args, **kwargs)
        parseStreamClient = parseStreamServer

    parser = Parser()
"""

#: A parser that declares its arguments.
DECLARED = """
    from twisted_endpoints.plugins import Port, ServerParser

    class Endpoint:
        def listen(self, factory): ...

    class Parser(ServerParser):
        prefix = "mine"
        summary = "listens somewhere"
        def build(self, reactor, port: Port, flavour: str = "plain"):
            endpoint = Endpoint()
            endpoint.seen = reactor, port, flavour
            return endpoint

    parser = Parser()
"""


class Site:
    """
    A folder that distributions are installed in.

    Args:
        path: the folder; put on `sys.path` for the test.
        monkeypatch: puts all back afterwards.
    """

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        monkeypatch.syspath_prepend(str(path))

    def module(self, name: str, source: str = BARE) -> None:
        """Write a module."""
        sys.modules.pop(name, None)
        (self.path / f"{name}.py").write_text(dedent(source))

    def install(self, name: str, entryPoints: str | bytes, version: str | None = "1.0") -> None:
        """Write a distribution's metadata; the entry points are lines of one group or a whole file."""
        folder = self.path / f"{name}-{version or '0'}.dist-info"
        folder.mkdir()
        if version is not None:
            (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        data = entryPoints if isinstance(entryPoints, bytes) else dedent(entryPoints).encode()
        (folder / "entry_points.txt").write_bytes(data)
        registry.refresh()

    def server(self, name: str, *lines: str, version: str | None = "1.0") -> None:
        """Install a distribution that announces server parsers."""
        self.install(name, "\n".join(["[twisted_endpoints.stream_server_parsers]", *lines, ""]), version)

    def client(self, name: str, *lines: str) -> None:
        """Install a distribution that announces client parsers."""
        self.install(name, "\n".join(["[twisted_endpoints.stream_client_parsers]", *lines, ""]))
