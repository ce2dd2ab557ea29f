"""
A network of a test's own: a namespace whose addresses answer, refuse, reset, swallow or can't be reached.

Needs Linux with `unshare`, `ip` and `nft`, and root or user namespaces.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

#: Where the scenarios' server listens.  An address below that has no rule is one that refuses.
PORT = 7
GOOD4, GOOD6 = "192.0.2.200", "2001:db8::100"
#: One that `getaddrinfo` doesn't put before other addresses of 10.0.0.0/8.
GOOD10 = "10.0.127.1"
NAME_SERVER = "127.0.0.1"
#: Seconds for which a look-up hangs that the name server doesn't answer: three times what resolv.conf allows.
STALL = 90

IPV4 = """\
link set lo up
addr add 192.0.2.1/24 dev lo
route add local 10.0.0.0/16 dev lo
"""
IPV6 = f"""\
addr add {GOOD6}/64 dev lo nodad
route add local 2001:db8::/64 dev lo
"""
RULES = """\
table inet bed {
    chain arriving {
        type filter hook input priority 0;
        ip daddr 192.0.2.64/28 drop
        ip daddr 192.0.2.80/28 meta l4proto tcp reject with tcp reset
        ip daddr 192.0.2.96/28 reject with icmp type host-unreachable
        ip daddr 10.0.128.0/17 drop
        ip6 daddr 2001:db8::a:0/112 meta l4proto tcp reject with tcp reset
        ip6 daddr 2001:db8::d:0/112 drop
    }
}
"""
#: What the system is told, by file.
FILES = {
    "/etc/resolv.conf": f"nameserver {NAME_SERVER}\noptions timeout:{STALL // 3} attempts:3\n",
    "/etc/nsswitch.conf": "hosts: files dns\n",
}


class CantBuild(Exception):
    """This machine doesn't allow it, or lacks a tool; the text says what."""


def build(folder: Path, hosts: str, ipv6: bool) -> None:
    """
    Furnish the namespace that this process is in.

    Args:
        folder: for files, empty.
        hosts: the hosts file.
        ipv6: whether there is IPv6.
    """
    if not ipv6:
        for which in ("all", "default", "lo"):
            try:
                Path(f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6").write_text("1")
            except FileNotFoundError:
                break  # there is none in this kernel
            except OSError as e:
                raise CantBuild(f"IPv6 can't be turned off: {e}") from e
    _tell("ip", "-batch", "-", text=IPV4)
    if ipv6:
        _tell("ip", "-6", "-batch", "-", text=IPV6)
    _tell("nft", "-f", "-", text=RULES)
    for path, text in {**FILES, "/etc/hosts": hosts}.items():
        ours = folder / Path(path).name
        ours.write_text(text)
        _tell("mount", "--bind", str(ours), path)


def _tell(*command: str, text: str = "") -> None:
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    try:
        done = subprocess.run(
            command, input=text, text=True, capture_output=True, timeout=20, env={"PATH": path}
        )
    except (OSError, subprocess.SubprocessError) as e:
        raise CantBuild(f"{command[0]}: {e}") from e
    if done.returncode:
        raise CantBuild(f"{command[0]}: {done.stderr.strip()}")


def inNetwork(*arguments: str) -> dict[str, Any]:
    """
    Run a program in a network of its own.

    Args:
        arguments: the module to run, and its arguments.  It tells what it found in a line of JSON, and ends.

    Returns:
        Under ``told`` what it told, where it told anything, under ``ended`` whether it ended soon after that,
        and under ``errors`` its standard error; or nothing but ``cannot``, with the reason.
    """
    # Who is root needs no user namespace, and who isn't has no other way.
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command = ["unshare", "--net", "--mount", *user, sys.executable, "-m", *arguments]
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    except OSError as e:
        return {"cannot": f"unshare: {e}"}
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        try:
            ended = process.wait(STALL / 2) == 0
        except subprocess.TimeoutExpired:
            ended = False
            process.kill()
        errors = process.stderr.read()
    if not line and errors.startswith("unshare:"):
        return {"cannot": errors.strip()}
    told: Any = json.loads(line or "null")
    if told and "cannot" in told:
        return {"cannot": told["cannot"]}
    return {"told": told, "ended": ended, "errors": errors}
