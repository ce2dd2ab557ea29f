"""
Looks for bytes that the PROXY protocol's parsers don't deal with, led by coverage; run by hand.

    pip install atheris
    python -m tests.haproxy.fuzz [-max_total_time=600] [-runs=1000000] [CORPUS]

The arguments are libFuzzer's.  Each input is read whole, byte by byte, and in two pieces at every place; all
have to come to the same, and nothing but `InvalidProxyHeader` may be raised.  A header that is accepted is
written again, and has to say the same then.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["twisted_endpoints.haproxy"]):
    from twisted_endpoints.haproxy import tlv, v1, v2

    from . import outcomes

#: Inputs above this are only read whole and byte by byte: two pieces at each place take their square.
_SHORT = 300


def shaped(data: bytes) -> bytes:
    """Turn an input into one that gets further than most: its first byte says how far."""
    if not data:
        return data
    how, data = data[0] % 6, data[1:]
    if how < 3:
        return [b"", b"PROXY ", v2.SIGNATURE][how] + data
    # A length that is right, and a checksum too.
    head, more = data[:2], data[2:] + (tlv.write([(tlv.Type.CRC32C, bytes(4))]) if how == 5 else b"")
    if how == 3:
        head = b"\x21\x11"
    header = v2.SIGNATURE + head + len(more).to_bytes(2, "big") + more
    return header[:-4] + tlv.crc32c(header).to_bytes(4, "big") if how == 5 else header


def once(data: bytes) -> None:
    """Try one input."""
    data = shaped(data)
    whole = outcomes.whole(data)
    assert outcomes.bytewise(data) == whole, "byte by byte"
    if len(data) <= _SHORT:
        for at in range(len(data) + 1):
            assert outcomes.pieces(data[:at], data[at:]) == whole, f"in two pieces, at {at}"
    if not isinstance(whole, outcomes.Read):
        return
    outcomes.interpret(whole.info)
    source = whole.info.source
    if source is not None and getattr(source, "name", b"/") is not None:
        write = v1.build if whole.info.version == 1 else v2.build
        again = outcomes.whole(write(source, whole.info.destination))
        assert isinstance(again, outcomes.Read)
        assert outcomes.plain(again.info) == outcomes.plain(whole.info), "written and read again"


if __name__ == "__main__":
    atheris.Setup(sys.argv, once)
    atheris.Fuzz()
