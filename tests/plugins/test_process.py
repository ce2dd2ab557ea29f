"""``process:``, by what is made of its strings, and by what those run."""

from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from tests.endpoints.test_process import Stream
from tests.running import run
from twisted_endpoints import clientFromString, connectProtocol
from twisted_endpoints.endpoints import ProcessEndpoint, StandardErrorBehavior
from twisted_endpoints.plugins.process import client
from twisted_endpoints.strings import DescriptionError, quoteStringArgument


def made(text: str) -> Any:
    endpoint = clientFromString(object(), text)
    assert type(endpoint) is ProcessEndpoint
    return endpoint


def test_itsArguments() -> None:
    assert [(p.name + "=" * p.keywordOnly, p.defaultText) for p in client.declaration.parameters] == [
        ("executable", None),
        ("arg", ""),
        ("env=", None),
        ("inheritEnv=", "1"),
        ("cwd=", None),
        ("stderr=", "log"),
        ("pty=", "0"),
        ("uid=", None),
        ("gid=", None),
    ]


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("process:/bin/cat", []),
        ("process:executable=/bin/cat", []),
        ("process:/bin/cat:arg=-u", ["-u"]),
        ("process:/bin/cat:-u", ["-u"]),
        ("process:/bin/cat:-u:-n:file", ["-u", "-n", "file"]),
        ("process:/bin/cat:-u:-n:cwd=/:file", ["-u", "-n", "file"]),
        ("process:/bin/cat:[a b:c=d]:e\\:f\\=g", ["a b:c=d", "e:f=g"]),
        ("process:/bin/cat:[--option=value]", ["--option=value"]),
        ("process:/bin/cat:arg=--option=value", ["--option=value"]),
        ("process:/bin/cat:", [""]),
        ("process:/bin/cat::b", ["", "b"]),
    ],
)
def test_argumentsOfTheProgramComeInOrder(text: str, args: list[str]) -> None:
    endpoint = made(text)
    assert endpoint._executable == "/bin/cat"
    assert endpoint._args == ("/bin/cat", *args)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("process:x", {"MARK": "mine"}),
        ("process:x:inheritEnv=0", {}),
        ("process:x:env=A=1", {"MARK": "mine", "A": "1"}),
        ("process:x:env=[A=1 B='two words' C=]", {"MARK": "mine", "A": "1", "B": "two words", "C": ""}),
        ("process:x:env=[A=1 MARK=yours]:inheritEnv=0", {"A": "1", "MARK": "yours"}),
        ("process:x:env=MARK=a=b", {"MARK": "a=b"}),
    ],
)
def test_theEnvironment(text: str, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("MARK", "mine")
    assert made(text)._env == expected


@pytest.mark.parametrize(
    ("text", "childFDs", "behaviour"),
    [
        ("process:x", None, StandardErrorBehavior.LOG),
        ("process:x:stderr=log", None, StandardErrorBehavior.LOG),
        ("process:x:stderr=drop", None, StandardErrorBehavior.DROP),
        ("process:x:stderr=inherit", {0: "w", 1: "r", 2: 2}, StandardErrorBehavior.LOG),
    ],
)
def test_errorOutput(text: str, childFDs: Any, behaviour: Any) -> None:
    endpoint = made(text)
    assert (endpoint._childFDs, endpoint._errFlag) == (childFDs, behaviour)


def test_theRest() -> None:
    endpoint = made("process:x:cwd=/tmp:pty=1:uid=1000:gid=100")
    assert (endpoint._path, endpoint._usePTY, endpoint._uid, endpoint._gid) == ("/tmp", True, 1000, 100)
    endpoint = made("process:x")
    assert (endpoint._path, endpoint._usePTY, endpoint._uid, endpoint._gid) == (None, False, None, None)


def test_usersAndGroupsHaveNames() -> None:
    group = quoteStringArgument(grp.getgrgid(0).gr_name)
    endpoint = made(f"process:x:uid={pwd.getpwuid(0).pw_name}:gid={group}")
    assert (endpoint._uid, endpoint._gid) == (0, 0)


def test_whoIsUnknownIsSaidToBe() -> None:
    with pytest.raises(DescriptionError, match=r"(?s)This machine has no user of that name\."):
        made("process:x:uid=no one")
    with pytest.raises(DescriptionError, match=r"(?s)This machine has no group of that name\."):
        made("process:x:gid=no one")


def test_asTwistedCallsIt() -> None:
    endpoint: Any = client.parseStreamClient(object(), "/bin/echo", b"a", "b", cwd="/")
    assert endpoint._args == ("/bin/echo", "a", "b")


@pytest.mark.parametrize(
    ("text", "first", "marked"),
    [
        ("process", "'process' needs executable", ""),
        ("process:", "executable must be a path, not empty", ""),
        ("process:/bin/dd:bs=1k", "'process' takes no argument 'bs'", "bs=1k"),
        ("process:x:y:arg=z", "arg is given twice, by position ('y') and by keyword", "arg=z"),
        ("process:x:arg=y:arg=z", "the keyword 'arg' is given twice", "arg=z"),
        ("process:x:y:z\0", "arg can't be used: no program can be given a NUL", "y"),
        ("process:x:arg=\0", "arg must be text without NUL characters, not '\\x00'", "\\x00"),
        ("process:x:env=A", "env must be NAME=VALUE, and more of them with blanks between, in brackets", "A"),
        (
            "process:x:env==b",
            "env must be NAME=VALUE, and more of them with blanks between, in brackets",
            "=b",
        ),
        ("process:x:stderr=no", "stderr must be log, drop or inherit, not 'no'", "no"),
        ("process:x:pty=1:stderr=drop", "stderr can't be used: with pty=1", "drop"),
        ("process:x:uid=no one", "uid must be a user's name or number, not 'no one'", "no one"),
        ("process:x:gid=no one", "gid must be a group's name or number, not 'no one'", "no one"),
        ("process:x:uid=", "uid must be a user's name or number", ""),
        ("process:x:uid=-1", "uid must be a user's name or number, not '-1'", "-1"),
        ("process:x:gid=4294967295", "gid must be a group's name or number", "4294967295"),
        ("process:x:uid=\0", "uid must be a user's name or number", "\\x00"),
    ],
    ids=lambda value: value.replace("\0", "NUL") if isinstance(value, str) else "",
)
def test_whatIsWrongIsMarked(text: str, first: str, marked: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        clientFromString(object(), text)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(first)
    start = lines[2].index("^")
    assert lines[1][start : start + lines[2].count("^")] == marked


def test_aProgramInThePathIsRunAsTheStringSays(reactor: Any, tmp_path: Path) -> None:
    script = 'echo "$1 $MARK" && pwd && read line && echo $line'
    text = f"process:sh:-c:[{script}]:sh:an argument:env=MARK=mine:cwd={quoteStringArgument(str(tmp_path))}"

    async def main() -> bytes:
        stream: Any = await connectProtocol(clientFromString(reactor, text), Stream())
        stream.wire.write(b"last\n")
        await stream.until("connectionLost")
        return stream.heard  # type: ignore[no-any-return]

    assert run(reactor, main) == f"an argument mine\n{tmp_path}\nlast\n".encode()


def test_aProgramThatIsNotThereIsKnownWhenItIsRun(reactor: Any) -> None:
    async def main() -> Any:
        with pytest.raises(FileNotFoundError) as raised:
            await connectProtocol(clientFromString(reactor, "process:no-such-program"), Stream())
        return raised.value

    assert run(reactor, main).filename == "no-such-program"
