"""Formats of texts in a schema: dates, addresses, names. What is no format that is known passes.

Models k/kube-openapi pkg/validation/strfmt Default; k/apiextensions-apiserver pkg/apiserver/validation
supportedVersionedFormats.
Simplified: isbn, creditcard, ssn and bsonobjectid are not looked at.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

_HEX = "[0-9a-f]"


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda text: compiled.fullmatch(text) is not None


def _uuid(version: str = _HEX, variant: str = _HEX) -> Callable[[str], bool]:
    parts = f"{_HEX}{{8}}", f"{_HEX}{{4}}", f"{version}{_HEX}{{3}}", f"{variant}{_HEX}{{3}}", f"{_HEX}{{12}}"
    return _matches(f"(?i:{'-?'.join(parts)})")


def _without_error(read: Callable[[str], object], *errors: type[Exception]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            read(text)
        except errors:
            return False
        return True

    return fits


_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:?\d\d)")


def _moment(text: str) -> None:
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(text)
    datetime.strptime(f"{found[1]} {found[2]}:{found[3]}:{found[4]}", "%Y-%m-%d %H:%M:%S")


def _uri(text: str) -> None:
    parts = urlsplit(text)
    if not parts.scheme and not text.startswith("/"):
        raise ValueError(text)


def _rgb(text: str) -> bool:
    found = re.fullmatch(r"rgb\((\d{1,3}),(\d{1,3}),(\d{1,3})\)", text.replace(" ", ""))
    return found is not None and all(int(one) < 256 for one in found.groups())


_LABEL = "[a-zA-Z0-9](?:[-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?"
_UNITS = "ns|us|µs|μs|ms|s|m|h|ns|nano|micro|milli|sec|second|minute|min|hr|hour|day|d|w|week|nanos|micros|millis"
_UNITS += "|seconds|secs|minutes|mins|hours|hrs|days|weeks"
_FORMATS: dict[str, Callable[[str], bool]] = {
    "datetime": _without_error(_moment, ValueError),
    "date": _without_error(lambda text: datetime.strptime(text, "%Y-%m-%d"), ValueError),
    "duration": _matches(rf"[+-]?(?:(?:\d+\.?\d*|\.\d+)\s*(?:{_UNITS}))+|0"),
    "ipv4": _without_error(ipaddress.IPv4Address, ValueError),
    "ipv6": _without_error(ipaddress.IPv6Address, ValueError),
    "cidr": _without_error(lambda text: ipaddress.ip_network(text, strict=False), ValueError),
    "mac": _matches(rf"(?i:{_HEX}{{2}}(?:[:-]{_HEX}{{2}}){{5}})"),
    "uuid": _uuid(),
    "uuid3": _uuid("3"),
    "uuid4": _uuid("4", "[89ab]"),
    "uuid5": _uuid("5", "[89ab]"),
    "uri": _without_error(_uri, ValueError),
    "email": _matches(r"[^@\s]+@[^@\s]+"),
    "hostname": _matches(rf"{_LABEL}(?:\.{_LABEL})*\.?"),
    "hexcolor": _matches(r"#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})"),
    "rgbcolor": _rgb,
    "byte": _without_error(lambda text: base64.b64decode(text, validate=True), binascii.Error),
    "k8sshortname": _matches("(?=.{1,63}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"),
    "k8slongname": _matches(r"(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*"),
}


def fits_format(text: str, format: str) -> bool:
    """Whether *text* has *format*, which may be written with dashes."""
    fits = _FORMATS.get(format.replace("-", ""))
    return fits is None or fits(text)
