from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from twisted_endpoints._vocabulary import vocabulary

IMPORTS = {
    "from": "from twisted_endpoints import reactor",
    "module": "import twisted_endpoints.reactor; reactor = twisted_endpoints.reactor",
    "twisted": "from twisted.internet import reactor",
}

needsTwisted = pytest.mark.skipif(vocabulary != "twisted", reason="there is no other reactor without Twisted")


def python(program: str) -> str:
    """Run a program in an interpreter of its own; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout


@pytest.mark.parametrize(
    "order",
    [("from", "module"), ("module", "from"), ("install", "from", "module"), ("install", "module", "from")],
)
def test_eachWayToImportTheReactorGivesTheSame(order: tuple[str, ...]) -> None:
    steps = [
        "from twisted_endpoints.asyncioreactor import install; install()"
        if step == "install"
        else f"{IMPORTS[step]}; found.append(reactor)"
        for step in order
    ]
    program = "\n".join(
        [
            "import sys; found = []",
            *steps,
            "assert all(each is found[0] for each in found)",
            "assert sys.modules['twisted_endpoints.reactor'] is found[0]",
            "print(type(found[0]).__name__)",
        ]
    )
    assert python(program) == "AsyncioReactor\n"


@needsTwisted
@pytest.mark.parametrize(
    ("order", "name"),
    [
        (("from", "twisted", "module"), "AsyncioReactor"),
        (("module", "twisted", "from"), "AsyncioReactor"),
        (("twisted", "from", "module"), "EPollReactor"),
        (("twisted", "module", "from"), "EPollReactor"),
    ],
)
def test_theReactorIsTwistedsToo(order: tuple[str, ...], name: str) -> None:
    program = "\n".join(
        [
            "import sys; found = []",
            *(f"{IMPORTS[step]}; found.append(reactor)" for step in order),
            "assert found[0] is found[1] is found[2]",
            "assert sys.modules['twisted.internet.reactor'] is sys.modules['twisted_endpoints.reactor']",
            "print(type(found[0]).__name__)",
        ]
    )
    assert python(program) == f"{name}\n"


@pytest.mark.parametrize("first", ["install()", IMPORTS["from"]])
def test_aSecondReactorIsRefused(first: str) -> None:
    program = f"""if True:
        from twisted_endpoints.asyncioreactor import install
        from twisted_endpoints import error
        {first}
        from twisted_endpoints import reactor
        try:
            install()
        except error.ReactorAlreadyInstalledError as refused:
            print(refused)
        import twisted_endpoints
        assert twisted_endpoints.reactor is reactor
    """
    assert python(program) == "reactor already installed\n"


def test_theLoopCanBeChosen() -> None:
    program = """if True:
        import asyncio
        from twisted_endpoints.asyncioreactor import install
        loop = asyncio.new_event_loop()
        install(loop)
        from twisted_endpoints import reactor
        reactor.callWhenRunning(lambda: print(asyncio.get_running_loop() is loop))
        reactor.callLater(0, reactor.stop)
        reactor.run()
        loop.close()
    """
    assert python(program) == "True\n"


@needsTwisted
def test_anInstalledReactorTellsTwistedWhichThreadIsItsOwn() -> None:
    program = """if True:
        from twisted_endpoints import reactor
        from twisted.internet.threads import deferToThread
        from twisted.python.threadable import isInIOThread
        def end(elsewhere):
            print(isInIOThread(), elsewhere)
            reactor.stop()
        reactor.callWhenRunning(lambda: deferToThread(isInIOThread).addCallback(end))
        reactor.run()
    """
    assert python(program) == "True False\n"


@needsTwisted
def test_anUnchangedTwistedProgramRunsOnIt() -> None:
    program = """if True:
        from twisted_endpoints.asyncioreactor import install
        install()
        from twisted.internet import defer, endpoints, protocol, reactor, task
        from twisted.protocols.basic import LineReceiver

        class Upper(LineReceiver):
            def lineReceived(self, line):
                self.sendLine(line.upper())

        class Asker(LineReceiver):
            def connectionMade(self):
                self.answer = defer.Deferred()
                self.sendLine(b"hello")
            def lineReceived(self, line):
                self.answer.callback(line)

        async def main(reactor):
            server = endpoints.serverFromString(reactor, "tcp:0:interface=127.0.0.1")
            port = await server.listen(protocol.Factory.forProtocol(Upper))
            client = endpoints.clientFromString(reactor, f"tcp:127.0.0.1:{port.getHost().port}")
            asker = await endpoints.connectProtocol(client, Asker())
            print(type(reactor).__name__, await asker.answer)
            asker.transport.loseConnection()
            await port.stopListening()
            await task.deferLater(reactor, 0.001)

        task.react(main)
    """
    assert python(program) == "AsyncioReactor b'HELLO'\n"


@needsTwisted
def test_trialRunsOnIt(tmp_path: Path) -> None:
    program = f"""if True:
        import io
        from twisted_endpoints.asyncioreactor import install
        install()
        from twisted.internet import defer, reactor, task, threads
        from twisted.trial import reporter, runner, unittest

        class Tests(unittest.TestCase):
            def test_later(self):
                return task.deferLater(reactor, 0.001)
            async def test_thread(self):
                self.assertEqual(await threads.deferToThread(int), 0)
            def test_never(self):
                return defer.Deferred()
            test_never.timeout = 0.01
            def test_dirty(self):
                reactor.callLater(100, int)

        suite = runner.TestLoader().loadClass(Tests)
        result = runner.TrialRunner(
            reporter.MinimalReporter, stream=io.StringIO(), workingDirectory={str(tmp_path)!r} + "/trial"
        ).run(suite)
        for test, failure in result.errors:
            print(test.id().rpartition(".")[2], failure.type.__name__)
        print(result.testsRun, result.successes)
    """
    assert python(program).splitlines() == [
        "test_dirty DirtyReactorAggregateError",
        "test_never TimeoutError",
        "4 2",
    ]
