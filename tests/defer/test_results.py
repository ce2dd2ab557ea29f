from __future__ import annotations

from typing import Any

import pytest

from twisted_endpoints.defer import Deferred, execute, fail, maybeDeferred, passthru, succeed
from twisted_endpoints.failure import Failure, NoCurrentExceptionError

from .test_chain import resultOf


def raises() -> Any:
    raise ValueError


async def coroutine(value: int) -> int:
    return value + 1


def test_succeed() -> None:
    d = succeed(5)
    assert (d.called, resultOf(d)) == (True, 5)


def test_succeedWithAFailureRunsErrbacks() -> None:
    assert resultOf(succeed(Failure(ValueError()))).check(ValueError)


@pytest.mark.parametrize("reason", [ValueError(), Failure(ValueError())])
def test_fail(reason: Any) -> None:
    d = fail(reason)
    assert d.called
    assert resultOf(d).check(ValueError)


def test_failWithoutAnException() -> None:
    with pytest.raises(NoCurrentExceptionError):
        fail()


def test_execute() -> None:
    assert resultOf(execute(max, 1, 2)) == 2
    assert resultOf(execute(sorted, [1, 2], reverse=True)) == [2, 1]
    assert resultOf(execute(raises)).check(ValueError)


@pytest.mark.parametrize(
    ("returned", "result"),
    [(5, 5), (None, None), (succeed(6), 6), ([7], [7])],
)
def test_maybeDeferred(returned: Any, result: Any) -> None:
    assert resultOf(maybeDeferred(passthru, returned)) == result


def test_maybeDeferredReturnsTheVeryDeferred() -> None:
    d: Deferred[Any] = Deferred()
    assert maybeDeferred(passthru, d) is d


def test_maybeDeferredRunsACoroutine() -> None:
    assert resultOf(maybeDeferred(coroutine, 1)) == 2
    assert resultOf(maybeDeferred(lambda: coroutine(value=2))) == 3


def test_maybeDeferredFails() -> None:
    assert resultOf(maybeDeferred(raises)).check(ValueError)
    assert resultOf(maybeDeferred(lambda: Failure(KeyError()))).check(KeyError)


def test_maybeDeferredLeavesGeneratorsAlone() -> None:
    generator = (n for n in (1,))
    assert resultOf(maybeDeferred(passthru, generator)) is generator
