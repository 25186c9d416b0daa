"""What names, labels, ports and percentages may look like. Each decider returns what is wrong: a list of texts.

Source: kubernetes/apimachinery pkg/util/validation and pkg/api/validate/content (rules and texts).
"""

import re

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_DNS1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_NAME})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_ENDS = "must start and end with an alphanumeric character"
_LABEL_RULE = f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and {_ENDS}"
_SUBDOMAIN_RULE = (
    f"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and {_ENDS}"
)
_DNS1035_RULE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character"
)
_NAME_RULE = f"must consist of alphanumeric characters, '-', '_' or '.', and {_ENDS}"
_VALUE_RULE = (
    f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and {_ENDS}"
)

_CASELESS_LABEL = "[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?"
_CASELESS = rf"{_CASELESS_LABEL}(\.{_CASELESS_LABEL})*"
_CASELESS_RULE = f"an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and {_ENDS}"
_IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*"
_IDENTIFIER_RULE = (
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric "
    "characters or '_'"
)
_HEADER = "[-A-Za-z0-9]+"
_URL_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
_WILDCARD = r"\*\." + _SUBDOMAIN
_WILDCARD_RULE = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
)


def _regex_error(text: str, pattern: str, *examples: str) -> str:
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{text} (e.g. {shown}regex used for validation is '{pattern}')"


def _too_long(limit: int, unit: str = "characters") -> str:
    return f"must be no more than {limit} {unit}"


def dns_label(value: str, unit: str = "characters") -> list[str]:
    """A name of a namespace, a Service or a container; generated rules count in the *unit* bytes."""
    wrong = [_too_long(63, unit)] if len(value) > 63 else []
    if not re.fullmatch(_LABEL, value):
        dotted = re.fullmatch(_SUBDOMAIN, value)
        wrong.append("must not contain dots" if dotted else _regex_error(_LABEL_RULE, _LABEL, "my-name", "123-abc"))
    return wrong


def dns_subdomain(value: str, unit: str = "characters") -> list[str]:
    """A name of most objects."""
    wrong = [_too_long(253, unit)] if len(value) > 253 else []
    if not re.fullmatch(_SUBDOMAIN, value):
        wrong.append(_regex_error(_SUBDOMAIN_RULE, _SUBDOMAIN, "example.com"))
    return wrong


def dns_subdomain_caseless(value: str) -> list[str]:
    """A subdomain that may have capitals. Models k/apimachinery pkg/api/validate/content IsDNS1123SubdomainCaseless"""
    wrong = [_too_long(253, "bytes")] if len(value) > 253 else []
    if not re.fullmatch(_CASELESS, value):
        wrong.append(_regex_error(_CASELESS_RULE, _SUBDOMAIN, "Example.com"))
    return wrong


def wildcard(value: str) -> list[str]:
    """A host that begins with ``*.``. Models k/apimachinery pkg/util/validation IsWildcardDNS1123Subdomain"""
    wrong = [_too_long(253)] if len(value) > 253 else []
    if not re.fullmatch(_WILDCARD, value):
        wrong.append(_regex_error(_WILDCARD_RULE, _WILDCARD, "*.example.com"))
    return wrong


def path_segment(value: str) -> list[str]:
    """A name that stands in a URL. Models k/apimachinery pkg/api/validation/path IsValidPathSegmentName"""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{char}'" for char in "/%" if char in value]


def dns1035_label(value: str) -> list[str]:
    """An older, narrower kind of name: a letter first."""
    wrong = [_too_long(63)] if len(value) > 63 else []
    if not re.fullmatch(_DNS1035, value):
        wrong.append(_regex_error(_DNS1035_RULE, _DNS1035, "my-name", "abc-123"))
    return wrong


def qualified_name(value: str) -> list[str]:
    """A name of one's own domain, such as the key of a label: ``[prefix/]name``."""
    prefix, slash, name = value.rpartition("/")
    if "/" in prefix:
        what = _regex_error(f"a valid label key {_NAME_RULE}", _NAME, "MyName", "my.name", "123-abc")
        return [what + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    wrong = []
    if slash:
        texts = dns_subdomain(prefix, "bytes") if prefix else ["must be non-empty"]
        wrong = ["prefix part " + text for text in texts]
    if not name:
        wrong.append("name part must be non-empty")
    elif len(name) > 63:
        wrong.append("name part " + _too_long(63, "bytes"))
    if not re.fullmatch(_NAME, name):
        wrong.append("name part " + _regex_error(_NAME_RULE, _NAME, "MyName", "my.name", "123-abc"))
    return wrong


def prefixed_label_key(value: str) -> list[str]:
    """A key that must name its domain. Models k/apimachinery pkg/api/validate/content IsPrefixedLabelKey"""
    return qualified_name(value) or ([] if "/" in value else ["must include a prefix (e.g. 'example.com/key')"])


def label_value(value: str) -> list[str]:
    """A value of a label; may be empty."""
    wrong = [_too_long(63, "bytes")] if len(value) > 63 else []
    if not re.fullmatch(_VALUE, value):
        wrong.append(_regex_error(_VALUE_RULE, _VALUE, "MyValue", "my_value", "12345"))
    return wrong


def config_key(value: str) -> list[str]:
    """A key of a ConfigMap or Secret: a file name."""
    wrong = [_too_long(253)] if len(value) > 253 else []
    if not re.fullmatch(_CONFIG_KEY, value):
        what = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        wrong.append(_regex_error(what, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name"))
    if value in (".", "..") or value.startswith(".."):
        wrong.append(f"must not be '{value}'" if value in (".", "..") else "must not start with '..'")
    return wrong


def port_number(value: int) -> list[str]:
    """A TCP or UDP port."""
    return [] if 1 <= value <= 65535 else ["must be between 1 and 65535, inclusive"]


def port_name(value: str) -> list[str]:
    """An IANA service name: at most 15 characters, one of them a letter."""
    wrong = [_too_long(15, "characters")] if len(value) > 15 else []
    if not re.fullmatch("[-a-z0-9]+", value):
        wrong.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        wrong.append("must contain at least one letter (a-z)")
    if "--" in value:
        wrong.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        wrong.append("must not begin or end with a hyphen")
    return wrong


def percent(value: str) -> list[str]:
    """``25%``."""
    what = "a valid percent string must be a numeric string followed by an ending '%'"
    return [] if re.fullmatch("[0-9]{1,9}%", value) else [_regex_error(what, "[0-9]+%", "1%", "93%")]


def variable(value: str) -> list[str]:
    """A name of an environment variable: anything that can be printed, but no ``=``."""
    what = "a valid environment variable name must consist only of printable ASCII characters other than '='"
    return [] if re.fullmatch("[ -<>-~]+", value) else [what]


def identifier(value: str) -> list[str]:
    """A name as in C. Models k/apimachinery pkg/api/validate/content IsCIdentifier"""
    return (
        []
        if re.fullmatch(_IDENTIFIER, value)
        else [_regex_error(_IDENTIFIER_RULE, _IDENTIFIER, "my_name", "MY_NAME", "MyName")]
    )


def header(value: str) -> list[str]:
    """A name of an HTTP header. Models k/apimachinery pkg/util/validation IsHTTPHeaderName"""
    what = "a valid HTTP header must consist of alphanumeric characters or '-'"
    return [] if re.fullmatch(_HEADER, value) else [_regex_error(what, _HEADER, "X-Header-Name")]


def qualified_domain(value: str) -> list[str]:
    """A domain of three segments at least. Models k/apimachinery pkg/util/validation IsFullyQualifiedName"""
    wrong = dns_subdomain(value)
    if not wrong and value.count(".") < 2:
        wrong = ["should be a domain with at least three segments separated by dots"]
    return wrong


def domain(value: str) -> list[str]:
    """A domain, perhaps with a dot at its end. Models k/apimachinery pkg/util/validation IsFullyQualifiedDomainName"""
    value = value.removesuffix(".")
    wrong = dns_subdomain(value)
    if not wrong and "." not in value:
        wrong = ["should be a domain with at least two segments separated by dots"]
    return wrong or [text for label in value.split(".") for text in dns_label(label)]


def domain_prefixed_path(value: str) -> list[str]:
    """A path in one's own domain. Models k/apimachinery pkg/util/validation IsDomainPrefixedPath"""
    host, _, path = value.partition("/")
    if not host or not path:
        return ['must be a domain-prefixed path (such as "acme.io/foo")']
    return dns_subdomain(host) + ([] if re.fullmatch(_URL_PATH, path) else [_regex_error("Invalid path", _URL_PATH)])


def host_port(host: str, port: int | str) -> str:
    """A host, or its address, and a port as one text: ``10.0.0.1:80``, ``[fd00::1]:80``."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # no vowels: no bad words


def safe_encoded(text: str) -> str:
    """*text* in letters and digits that make no words. Models k/apimachinery pkg/util/rand SafeEncodeString"""
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in text.encode())


# -- machines: which address follows from a name ----------------------------------------------------
def host_ip(host: str) -> str:
    """The address of a machine in the hosts' own network: worker-3 is 192.168.0.103, cp-1 is 192.168.0.11."""
    return f"192.168.0.{_host_part(host)}"


def host_ip6(host: str) -> str:
    """The same of IPv6, in clusters that speak it: worker-3 is fd00:168::103."""
    return f"fd00:168::{_host_part(host)}"


def _host_part(host: str) -> int:
    return (10 if host.startswith("cp-") else 100) + host_number(host)


def host_number(host: str) -> int:
    """The number at the end of a machine's name, 0 if there is none."""
    return int(host[len(host.rstrip("0123456789")) :] or 0)
