from __future__ import annotations

import gc
import io
import logging
import pickle
import subprocess
import sys
import traceback
import weakref
from collections.abc import Generator
from typing import Any

import pytest

from twisted_endpoints import failure as module
from twisted_endpoints._vocabulary import vocabulary
from twisted_endpoints.failure import Failure, NoCurrentExceptionError

onlyBuiltin = pytest.mark.skipif(vocabulary != "builtin", reason="Twisted's own text or behaviour")


class Special(LookupError):
    """An error that compares by its arguments, for pickles."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.args == other.args

    __hash__ = LookupError.__hash__


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def fails() -> None:
    secret = "sesame"
    raise Special(secret)


def caught(captureVars: bool = False) -> Failure:
    try:
        fails()
    except Special:
        return Failure(captureVars=captureVars)
    raise AssertionError


def test_ofTheCurrentException() -> None:
    made = caught()
    assert made.type is Special
    assert made.value == Special("sesame")
    assert made.tb is made.value.__traceback__


def test_ofAnExceptionThatWasNeverRaised() -> None:
    error = Special()
    made = Failure(error)
    assert (made.value, made.type, made.tb) == (error, Special, None)
    assert made.getTracebackObject() is None
    assert made.frames == []


def test_ofNothing() -> None:
    with pytest.raises(NoCurrentExceptionError):
        Failure()


def test_ofAFailureIsACopy() -> None:
    first = caught()
    second = Failure(first)
    assert second is not first
    assert vars(second) == vars(first)


def test_ofAnyObject() -> None:
    made = Failure("a text")
    assert (made.value, made.type) == ("a text", str)


def test_withoutTracebackEqualsTheConstructor() -> None:
    error = Special()
    one, other = vars(Failure(error)), vars(Failure._withoutTraceback(error))
    assert other["count"] == one["count"] + 1
    assert {**one, "count": 0} == {**other, "count": 0}


@pytest.mark.parametrize(
    ("kinds", "found"),
    [
        ((Special,), Special),
        ((LookupError,), LookupError),
        ((ValueError, LookupError, Special), LookupError),
        ((ValueError,), None),
        ((), None),
        (("builtins.LookupError",), "builtins.LookupError"),
        (("LookupError",), None),
        ((f"{__name__}.Special",), f"{__name__}.Special"),
    ],
)
def test_check(kinds: tuple[Any, ...], found: Any) -> None:
    assert Failure(Special()).check(*kinds) == found


def test_checkMatchesAClassOfTheSameName() -> None:
    twin = type("Special", (Exception,), {"__module__": __name__})
    assert Failure(Special()).check(twin) is twin


def test_checkOfWhatIsNoException() -> None:
    made = Failure(KeyboardInterrupt())
    assert made.check(KeyboardInterrupt) is KeyboardInterrupt
    assert made.check(Exception) is None


def test_trapReturnsTheKind() -> None:
    assert Failure(Special()).trap(ValueError, LookupError) is LookupError


def test_trapRaisesWhatItDoesNotKnow() -> None:
    made = caught()
    with pytest.raises(Special) as raised:
        made.trap(ValueError)
    assert raised.value is made.value


def test_raiseExceptionKeepsTheTraceback() -> None:
    made = caught()
    with pytest.raises(Special) as raised:
        made.raiseException()
    assert [frame.name for frame in traceback.extract_tb(raised.value.__traceback__)][-2:] == [
        "caught",
        "fails",
    ]


def test_throwIntoAGenerator() -> None:
    def generator() -> Generator[str, None, None]:
        try:
            yield "first"
        except Special as error:
            yield traceback.extract_tb(error.__traceback__)[-1].name

    running = generator()
    next(running)
    assert caught().throwExceptionIntoGenerator(running) == "fails"


def test_texts() -> None:
    made = caught()
    name = f"{__name__}.Special"
    line = fails.__code__.co_firstlineno + 2
    assert made.getErrorMessage() == "sesame"
    assert repr(made) == f"<{Failure.__module__}.Failure {name}: sesame>"
    assert made.getTraceback().startswith("Traceback (most recent call last):\n")
    assert made.getTraceback().endswith(
        f'  File "{__file__}", line {line}, in fails\n    raise Special(secret)\n{name}: sesame\n'
    )
    assert made.getBriefTraceback().startswith(f"Traceback: {Special!r}: sesame\n")
    assert made.getBriefTraceback().endswith(f"{__file__}:{line}:fails\n")
    assert str(made) == f"[Failure instance: {made.getBriefTraceback()}]"


def test_textWithoutFrames() -> None:
    made = Failure(ValueError("x"))
    assert made.getTraceback() == "Traceback (most recent call last):\nFailure: builtins.ValueError: x\n"
    assert made.getBriefTraceback() == "Traceback (failure with no frames): <class 'ValueError'>: x\n"


def test_detailedTextShowsCapturedVariables() -> None:
    output = io.StringIO()
    caught(captureVars=True).printDetailedTraceback(output)
    assert "  secret : 'sesame'\n" in output.getvalue()
    assert "( Globals )" in output.getvalue()


def test_detailedTextSaysWhereVariablesWereNotCaptured() -> None:
    made = caught()
    text = made.getTraceback(detail="verbose")
    assert text.startswith(f"*--- Failure #{made.count} ---\n")
    assert " [Capture of Locals and Globals disabled (use captureVars=True)]\n" in text
    assert "sesame'" not in text
    assert text.endswith(f"*--- End of Failure #{made.count} ---\n")


def test_unknownDetail() -> None:
    with pytest.raises(ValueError, match="brief"):
        module.format_frames([], print, detail="noisy")


@pytest.mark.parametrize("detail", ["brief", "default", "verbose"])
def test_anExceptionThatCannotBePrinted(detail: str) -> None:
    assert "Unprintable" in Failure(Unprintable()).getTraceback(detail=detail)


@onlyBuiltin
def test_printTracebackGoesToTheLog(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "twisted_endpoints"):
        Failure(ValueError("x")).printTraceback()
    assert [record.getMessage() for record in caplog.records] == [
        "Traceback (most recent call last):\nFailure: builtins.ValueError: x"
    ]


def test_cleanFailureLetsGoOfTheFrames() -> None:
    made = caught(captureVars=True)
    before = traceback.extract_tb(made.getTracebackObject())
    made.cleanFailure()
    assert made.tb is None
    assert made.value.__traceback__ is None
    assert traceback.extract_tb(made.getTracebackObject()) == before
    assert ("secret", "'sesame'") in made.frames[-1][3]


def test_pickle() -> None:
    made = caught()
    copy = pickle.loads(pickle.dumps(made))
    assert type(copy) is Failure
    assert (copy.value, copy.type, copy.tb, copy.pickled) == (made.value, Special, None, 1)
    assert copy.frames == made.frames
    assert copy.parents == made.parents
    assert copy.check(LookupError) is LookupError
    assert copy.getTraceback() == made.getTraceback()


def test_framesAndParentsCanBeSet() -> None:
    made = caught()
    made.frames = made.frames[:1]
    made.parents = ["far.Away"]
    copy = pickle.loads(pickle.dumps(made))
    assert (len(copy.frames), copy.parents) == (1, ["far.Away"])
    assert copy.check("far.Away") == "far.Away"


def test_theTracebackGoesWithTheFailure() -> None:
    class Kept:
        pass

    def failsWith(kept: Kept) -> None:
        raise Special()

    gc.collect()
    gc.disable()
    try:
        kept = Kept()
        alive = weakref.ref(kept)
        try:
            failsWith(kept)
        except Special:
            made = Failure()
        del kept
        assert alive() is not None
        made.cleanFailure()
        assert alive() is None
    finally:
        gc.enable()


def test_stackIsDeprecated() -> None:
    made = Failure(ValueError())
    with pytest.warns(
        DeprecationWarning, match=r"failure\.Failure\.stack was deprecated in Twisted 24\.10\.0"
    ) as seen:
        assert made.stack == []
    assert seen[0].filename == __file__
    with pytest.warns(DeprecationWarning, match="stack"):
        made.stack = [1]


def test_debugModeOpensTheDebugger(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(Failure, "__init__", Failure.__init__)
    monkeypatch.setattr("pdb.post_mortem", seen.append)
    module.startDebugMode()
    made = caught()
    assert seen == [made.tb]
    assert "sesame" in capsys.readouterr().out
    Failure(ValueError())
    assert len(seen) == 1


@onlyBuiltin
def test_itImportsLittle() -> None:
    heavy = (
        "{'inspect', 'linecache', 'traceback', 'asyncio', 'http.cookiejar', 'zope.interface', 'incremental'}"
    )
    code = (
        "import sys; import twisted_endpoints; before = set(sys.modules); "
        f"import twisted_endpoints.failure; print(sorted((set(sys.modules) - before) & {heavy}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
