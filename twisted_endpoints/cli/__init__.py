"""
The program `twisted-endpoints`: one module a command, imported when the command is asked for.

A command is a module with

- ``NAME`` and ``SUMMARY``, one line each, and optionally ``EXAMPLES``, the end of its help;
- ``addArguments(parser)``, which declares its arguments;
- ``run(options)``, which does it and returns the exit status: 0 done, 1 it failed, 2 it was asked wrongly.

Such a module imports what is slow inside of ``run``, so that ``--help`` is quick.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import NoReturn

from .._log import logToStandardError

__all__ = ["COMMANDS", "main"]

PROGRAM = "twisted-endpoints"

#: The commands, in the order in which a user needs them.  Each is the module of this name.
COMMANDS = ("relay", "list", "check", "doctor")

#: What ``--loop`` takes; `twisted_endpoints.cli._reactor` knows what it means.
LOOPS = ("auto", "asyncio", "uvloop")

EXAMPLES = """\
examples:
  twisted-endpoints relay tcp:8080 unix:/run/app.sock
  twisted-endpoints check --client 'tcp:[::1]:80'
  twisted-endpoints list
"""


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors end with what to do next."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: error: {message}\n(for help: {self.prog} --help)\n")


class _Version(argparse.Action):
    """Shows the version, which is only looked up when somebody wants it."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from .. import __version__

        print(f"{PROGRAM} {__version__.public()}")
        parser.exit(0)


def _command(name: str) -> ModuleType:
    return import_module(f".{name}", __name__)


def _topParser(withSummaries: bool) -> argparse.ArgumentParser:
    """
    Make the parser of what stands before the command's own arguments.

    Args:
        withSummaries: list what each command does, for the help; that imports every command.
    """
    epilog = EXAMPLES
    if withSummaries:
        rows = "\n".join(f"  {name:<8}{_command(name).SUMMARY}" for name in COMMANDS)
        epilog = f"commands:\n{rows}\n\n{EXAMPLES}\nEach command has its own help: {PROGRAM} relay --help\n"
    parser = _Parser(
        prog=PROGRAM,
        usage=f"{PROGRAM} [--loop LOOP] COMMAND [ARGUMENT...]",
        description="Relays streams between endpoints that are named by strings, and explains such strings.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    _addLoop(
        parser, "auto", "the event loop to run on; by default, uvloop where it is installed, else asyncio"
    )
    parser.add_argument("command", metavar="COMMAND", help=f"one of: {', '.join(COMMANDS)}")
    parser.add_argument("arguments", metavar="ARGUMENT", nargs=argparse.REMAINDER, help="the command's own")
    return parser


def _addLoop(parser: argparse.ArgumentParser, default: str, help: str) -> None:
    parser.add_argument("--loop", choices=LOOPS, default=default, help=help)


def _wantsHelp(arguments: Sequence[str]) -> bool:
    """Tell whether the program's own help is asked for, and not a command's."""
    for argument in arguments:
        if argument in ("-h", "--help"):
            return True
        if argument in COMMANDS:
            return False
    return False


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"the commands are {', '.join(COMMANDS)}"
    if not near and ":" in name:
        hint = f"is that an endpoint string? Write {PROGRAM} relay LISTEN CONNECT, or {PROGRAM} check STRING"
    return f"unknown command {name!r}: {hint}"


def _run(arguments: Sequence[str], isProcess: bool) -> int:
    if not arguments:
        _topParser(withSummaries=True).print_help(sys.stderr)
        return 2
    top = _topParser(_wantsHelp(arguments))
    options = top.parse_args(arguments)
    if options.command not in COMMANDS:
        top.error(_unknown(options.command))
    command = _command(options.command)
    parser = _Parser(
        prog=f"{PROGRAM} {command.NAME}",
        description=command.SUMMARY,
        epilog=getattr(command, "EXAMPLES", None),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.addArguments(parser)
    # Behind the command too, where many look for it.
    _addLoop(parser, options.loop, argparse.SUPPRESS)
    parser.set_defaults(isProcess=isProcess)
    status: int = command.run(parser.parse_args(options.arguments))
    return status


def _showWarning(message: Warning | str, *_: object, **__: object) -> None:
    """Write a warning for a user: without the line of our source that it comes from."""
    print(f"{PROGRAM}: warning: {message}", file=sys.stderr)


def _openStandardStreams() -> None:
    """
    Give those standard streams that the process was started without a place where nothing is heard.

    Else the next socket gets the number of one: libuv ends the process when such a one is closed.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the program.

    Args:
        argv: the arguments, without the program's name; by default the process's own.

    Returns:
        The exit status: 0 done, 1 it failed, 2 it was asked wrongly.
    """
    _openStandardStreams()
    try:
        try:
            with warnings.catch_warnings():
                logToStandardError(PROGRAM)
                warnings.showwarning = _showWarning  # only now: Twisted's log sets one of its own
                status = _run(sys.argv[1:] if argv is None else argv, argv is None)
        except SystemExit as left:  # argparse has said what it had to say
            status = left.code if isinstance(left.code, int) else 1
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output (`| head`) has enough.  Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return status
