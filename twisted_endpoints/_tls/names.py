"""Distinguished names: whom a certificate is about, and who signed it."""

from __future__ import annotations

from typing import NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID


class _Field(NamedTuple):
    name: str
    short: str
    label: str
    oid: x509.ObjectIdentifier


_FIELDS = (
    _Field("commonName", "CN", "Common Name", NameOID.COMMON_NAME),
    _Field("countryName", "C", "Country Name", NameOID.COUNTRY_NAME),
    _Field("emailAddress", "emailAddress", "Email Address", NameOID.EMAIL_ADDRESS),
    _Field("localityName", "L", "Locality Name", NameOID.LOCALITY_NAME),
    _Field("organizationName", "O", "Organization Name", NameOID.ORGANIZATION_NAME),
    _Field("organizationalUnitName", "OU", "Organizational Unit Name", NameOID.ORGANIZATIONAL_UNIT_NAME),
    _Field("stateOrProvinceName", "ST", "State Or Province Name", NameOID.STATE_OR_PROVINCE_NAME),
)
_LABEL_WIDTH = max(len(field.label) for field in _FIELDS) + 2

_OIDS = {field.name: field.oid for field in _FIELDS}
_BY_OID = {field.oid: field.name for field in _FIELDS}

#: What a field is called by users, long or short, and its long name.
_x509names = {called: field.name for field in _FIELDS for called in (field.name, field.short)}


class DistinguishedName(dict[str, bytes]):
    """
    A name in the manner of X.500, as certificates have them: ``DN(CN="example.com", O=b"Example")``.

    Each field is an attribute, by its long name and its short one, and an item by its long one.

    Args:
        **kw: the fields: commonName or CN, organizationName or O, organizationalUnitName or OU, localityName
            or L, stateOrProvinceName or ST, countryName or C (two letters), emailAddress.  Text is kept as
            bytes, in UTF-8.

    Raises:
        AttributeError: there is no such field.
    """

    __slots__ = ()

    def __init__(self, **kw: str | bytes) -> None:
        for name, value in kw.items():
            setattr(self, name, value)

    def __repr__(self) -> str:
        return f"<DN {super().__repr__()[1:-1]}>"

    def __getattr__(self, attr: str) -> bytes:
        try:
            return self[_x509names[attr]]
        except KeyError:
            raise AttributeError(attr) from None

    def __setattr__(self, attr: str, value: str | bytes) -> None:
        if attr not in _x509names:
            known = ", ".join(f"{field.name} ({field.short})" for field in _FIELDS)
            raise AttributeError(f"a distinguished name has no field {attr!r}, but {known}")
        self[_x509names[attr]] = value if isinstance(value, bytes) else value.encode()

    def inspect(self) -> str:
        """Write the fields that are set for people to read, one a line."""
        return "\n".join(
            f"{field.label:>{_LABEL_WIDTH}}: {self[field.name].decode()}"
            for field in _FIELDS
            if field.name in self
        )


DN = DistinguishedName


def fromX509(name: x509.Name) -> DistinguishedName:
    """
    Read a certificate's name.

    Fields that a `DistinguishedName` hasn't are left out; of a field that comes several times, the first
    counts.
    """
    found = DistinguishedName()
    for attribute in name:
        known = _BY_OID.get(attribute.oid)
        if known is not None and known not in found:
            setattr(found, known, attribute.value)
    return found


def fromX509Request(name: x509.Name) -> DistinguishedName:
    """
    Read the name that a request asks for.

    Raises:
        ValueError: it has a field that a `DistinguishedName` hasn't.  To sign the rest would give the asker
            another name than was asked for.
    """
    for attribute in name:
        if attribute.oid not in _BY_OID:
            raise ValueError(f"the request's subject has a field that is not supported: {attribute.oid!r}")
    return fromX509(name)


def toX509(name: DistinguishedName) -> x509.Name:
    """
    Turn a name into what certificates are made with.

    Raises:
        ValueError: X.509 doesn't allow a value: a country of other than two letters, an empty text.
    """
    return x509.Name([x509.NameAttribute(_OIDS[key], value.decode()) for key, value in name.items()])
