"""
Binds a description's arguments to what a parser declares that it takes, and says what is wrong with
them.  Pure.

A parser declares its arguments as the signature of its method `build`; the annotation is the kind of value,
which knows how to read it from text::

    def build(self, reactor: Any, port: Port, interface: Interface = "", backlog: Backlog = 50) -> ...

`str`, `int`, `float` and `bool` are kinds too, and an argument without an annotation is text.  For a kind of
your own::

    Colour = Annotated[str, Kind("colour", "red or green", readColour)]

where ``readColour(text)`` returns the value or raises `ValueError`, with a message only if it can say more
than that the value is not red or green.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType, UnionType
from typing import Annotated, Any, NoReturn, Union, get_args, get_origin

from . import kinds
from ._hints import colonHint, hostFirstHint, innerHint, nearest
from .description import Description, Place
from .errors import ArgumentsError, DescriptionError, InvalidValue, shown, visible
from .kinds import Kind

__all__ = ["REQUIRED", "Declaration", "Parameter", "declarationOf"]


class _Required:
    """The default of an argument that has none."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED = _Required()

#: So many combinations of arguments a declaration remembers; a program uses a few.
_SHAPES = 100

_PLAIN: dict[Any, Kind] = {
    inspect.Parameter.empty: kinds.TEXT,
    Any: kinds.TEXT,
    str: kinds.TEXT,
    int: kinds.INTEGER,
    float: kinds.SECONDS,
    bool: kinds.FLAG,
}


@dataclass(frozen=True)
class Parameter:
    """
    One argument that a parser takes.

    Args:
        name: as it is written in a description.
        kind: how its value is read.
        default: of the value; `REQUIRED` if there is none.
        keywordOnly: it is always written with its name.
        meaning: what it says, for tables.
    """

    name: str
    kind: Kind
    default: Any = REQUIRED
    keywordOnly: bool = False
    meaning: str = ""

    @property
    def required(self) -> bool:
        """Whether a description must give it."""
        return self.default is REQUIRED

    @property
    def defaultText(self) -> str | None:
        """The default as a description would have it, or None if there is none."""
        return None if self.required or self.default is None else self.kind.write(self.default)


class Declaration:
    """
    All arguments that a parser takes.

    Args:
        parameters: in the order in which positional arguments fill them.
    """

    def __init__(self, parameters: tuple[Parameter, ...]) -> None:
        self.parameters = parameters
        self._positional = tuple(parameter.name for parameter in parameters if not parameter.keywordOnly)
        self._required = {parameter.name for parameter in parameters if parameter.required}
        self._skip = 1 if parameters and parameters[0].kind is kinds.PORT else 0
        self._readers = {parameter.name: parameter.kind.read for parameter in parameters}
        # What descriptions with so many positional arguments and these keywords give, in their order.
        self._shapes: dict[tuple[Any, ...], tuple[str, ...]] = {}

    def bind(self, description: Description) -> dict[str, Any]:
        """
        Give each argument of the description its name, and read its value.

        Positional arguments are matched as Python's are, with one exception, for ``tcp:host=example.com:80``:
        where there are exactly as many of them as required arguments that no keyword gives, it is these that
        they fill.

        Args:
            description: whose prefix is not looked at.

        Returns:
            The values by name; what the description doesn't give is left out.

        Raises:
            ArgumentsError: an argument is missing, unknown, given twice, or one too many.
            InvalidValue: a value is not of its argument's kind.
        """
        if description.args == ("",) and not self._positional:
            # Nothing stands after the colon of ``stdio:``, which is no argument.
            description = replace(description, args=())
        args, kwargs = description.args, description.kwargs
        shape = (len(args), *kwargs)
        names = self._shapes.get(shape)
        if names is None:
            names = self._named(description)
            if len(self._shapes) < _SHAPES:
                self._shapes[shape] = names
        readers = self._readers
        values: dict[str, Any] = {}
        try:
            for name, text in zip(names, args):  # noqa: B905  # the names of keywords come after them
                values[name] = readers[name](text)
            for name in kwargs:
                values[name] = readers[name](kwargs[name])
        except ValueError as error:
            self._refuseValue(description, name, names, error)
        return values

    def gathered(self, description: Description) -> Description:
        """Give a description with only such arguments as are declared: that is itself, but for wrappers."""
        return description

    def _named(self, description: Description) -> tuple[str, ...]:
        """
        Give the arguments of a description, by position and then by keyword, their names.

        Raises:
            ArgumentsError: one is missing, unknown, given twice, or too many.
        """
        args, kwargs = description.args, description.kwargs
        names = self._positional
        if not self._required.isdisjoint(kwargs):
            missing = tuple(name for name in names if name in self._required and name not in kwargs)
            if len(missing) == len(args):
                names = missing
        texts = dict(zip(names, args))  # noqa: B905  # there may be more of either
        for name in kwargs:
            if name not in self._readers or name in texts:
                self._refuseKeyword(description, name, texts)
        if len(args) > len(names):
            self._refuseExtra(description)
        found = (*texts, *kwargs)
        if not self._required.issubset(found):
            self._refuseMissing(description, found)
        return found

    def _refuseKeyword(self, description: Description, name: str, texts: Mapping[str, str]) -> NoReturn:
        where = description.keyword(name, whole=True)
        if name in self._readers:
            problem = f"{name} is given twice, by position ({shown(texts[name])}) and by keyword"
            hint = "Keep one of them."
        else:
            problem = f"{shown(description.prefix)} takes no argument {shown(name)}"
            near = nearest(name, self._readers)
            hint = f"Did you mean {near!r}? " if near else ""
            hint += f"{description.prefix} takes {self.usage()}."
            if not name.isidentifier():
                hint += " For a '=' in a value, put a backslash before it."
        raise ArgumentsError.at(problem, where, self.colonHint(description) or hint)

    def _refuseExtra(self, description: Description) -> NoReturn:
        takes = len(self._positional)
        where = description.positional(takes)
        count = {0: "no argument", 1: "only one argument"}.get(takes, f"at most {takes} arguments")
        problem = f"{shown(description.prefix)} takes {count} without a keyword, not {len(description.args)}"
        hint = f"{description.prefix} takes {self.usage()}. For a ':' in a value, put a backslash before it."
        if not self.parameters:
            problem, hint = f"{shown(description.prefix)} takes no arguments", ""
        raise ArgumentsError.at(problem, where, self.colonHint(description) or hint)

    def _refuseMissing(self, description: Description, given: Collection[str]) -> NoReturn:
        missing = [name for name in self._readers if name in self._required and name not in given]
        where = description.end()
        hint = f"{description.prefix} takes {self.usage()}."
        problem = f"{shown(description.prefix)} needs {' and '.join(missing)}"
        raise ArgumentsError.at(problem, where, self.colonHint(description) or hint)

    def _refuseValue(
        self, description: Description, name: str, names: tuple[str, ...], error: ValueError
    ) -> NoReturn:
        value, where = _found(description, name, names)
        kind = self._kind(name)
        hint = self.colonHint(description) or visible(str(error))
        if not hint and value.startswith("//"):
            hint = "Only in a URL does '//' stand there: leave it out."
        if not hint and kind is kinds.PORT and self._skip and "interface" in self._readers:
            hint = hostFirstHint(visible(description.prefix), description.args)
        if not hint and value != value.strip():
            hint = "There is white space around it."
        before = names[: names.index(name)][-1:]
        if not hint and name not in description.kwargs and before and self._kind(before[0]).name == "path":
            hint = f"For a ':' in {before[0]}, put a backslash before it."
        problem = f"{name} must be {kind.expected}, not {shown(value) if value else 'empty'}"
        raise InvalidValue.at(problem, where, hint) from None

    def _kind(self, name: str) -> Kind:
        return next(parameter.kind for parameter in self.parameters if parameter.name == name)

    def colonHint(self, description: Description) -> str:
        """Say what to do about colons in a description that are read as ends of arguments, and shouldn't."""
        text = description.end()[0]
        inner = [parameter.name for parameter in self.parameters if parameter.kind is kinds.INNER]
        return innerHint(text, inner) or colonHint(text, self._skip)

    def misspeltHint(self, description: Description, inner: str | DescriptionError) -> str:
        """Say which of these is meant by an argument that a description in a value refuses; or nothing."""
        return ""

    def place(self, description: Description, name: str) -> tuple[str, tuple[str, Place]]:
        """
        Find an argument in a description that `bind` was content with.

        Returns:
            Its text, and the description with the place in it; the description's end if it isn't given.
        """
        names = self._named(description)
        return _found(description, name, names) if name in names else ("", description.end())

    def usage(self) -> str:
        """What there is to write, in words: ``port (optional: interface, backlog)``."""
        needed = [parameter.name for parameter in self.parameters if parameter.required]
        others = [parameter.name for parameter in self.parameters if not parameter.required]
        words = " and ".join(needed) or ("no required argument" if others else "no arguments")
        return f"{words} (optional: {', '.join(others)})" if others else words


def _found(description: Description, name: str, names: tuple[str, ...]) -> tuple[str, tuple[str, Place]]:
    if name in description.kwargs:
        return description.kwargs[name], description.keyword(name)
    index = names.index(name)
    return description.args[index], description.positional(index)


def _kindOf(annotation: Any, owner: str) -> Kind:
    """
    Find the kind in an annotation.

    Raises:
        TypeError: there is none in it.
    """
    if get_origin(annotation) is Annotated:
        for extra in get_args(annotation)[1:]:
            if isinstance(extra, Kind):
                return extra
        return _kindOf(get_args(annotation)[0], owner)
    if get_origin(annotation) in (Union, UnionType):
        members = [member for member in get_args(annotation) if member is not type(None)]
        if len(members) == 1:
            return _kindOf(members[0], owner)
    try:
        return _PLAIN[annotation]
    except (KeyError, TypeError):
        raise TypeError(
            f"{owner} has the annotation {annotation!r}, which is no kind of value:"
            " use str, int, float, bool or one of twisted_endpoints.strings.kinds"
        ) from None


def declarationOf(
    build: Callable[..., Any], meanings: Mapping[str, str] = MappingProxyType({})
) -> Declaration:
    """
    Read a declaration from a function's signature.

    Args:
        build: a bound method or function; its first parameter, the reactor, is left out.
        meanings: what arguments say, by name; those that their kind tells enough of can be left out.

    Raises:
        TypeError: it takes ``*args`` or ``**kwargs``, positional-only parameters or annotations that are no
            kind; or a meaning is of none of its parameters.
    """
    names = inspect.unwrap(getattr(build, "__func__", build)).__globals__
    parameters = []
    for parameter in list(inspect.signature(build).parameters.values())[1:]:
        owner = f"parameter {parameter.name!r} of {build.__qualname__}"
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise TypeError(f"{owner} is {parameter.kind.description}, which no description can give")
        annotation = parameter.annotation
        if isinstance(annotation, str):
            # One by one, not by typing.get_type_hints: the others may name what only a type checker imports.
            annotation = eval(annotation, names)
        kind = _kindOf(annotation, owner)
        parameters.append(
            Parameter(
                parameter.name,
                kind,
                REQUIRED if parameter.default is parameter.empty else parameter.default,
                parameter.kind is parameter.KEYWORD_ONLY,
                meanings.get(parameter.name, kind.meaning),
            )
        )
    strange = meanings.keys() - {parameter.name for parameter in parameters}
    if strange:
        raise TypeError(f"{build.__qualname__} has no parameter {min(strange)!r}, but a meaning for it")
    return Declaration(tuple(parameters))
