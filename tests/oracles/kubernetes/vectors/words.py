"""Names, labels, annotations, quantities and percentages."""

from fractions import Fraction

from kubemini.api import names, quantity
from kubemini.api.quantity import Quantity, QuantityError
from kubemini.apiserver.rules import metadata
from tests.oracles.kubernetes.vectors import differs, refuses

VALIDATORS = {
    "IsDNS1123Label": names.dns_label,
    "IsDNS1123Subdomain": names.dns_subdomain,
    "IsDNS1123SubdomainCaseless": names.dns_subdomain_caseless,
    "IsDNS1035Label": names.dns1035_label,
    "IsQualifiedName": names.qualified_name,
    "IsLabelKey": names.qualified_name,
    "IsPrefixedLabelKey": names.prefixed_label_key,
    "IsValidLabelValue": names.label_value,
    "IsLabelValue": names.label_value,
    "IsConfigMapKey": names.config_key,
    "IsCIdentifier": names.identifier,
    "IsHTTPHeaderName": names.header,
    "IsWildcardDNS1123Subdomain": names.wildcard,
    "IsFullyQualifiedDomainName": names.domain,
    "IsFullyQualifiedName": names.qualified_domain,
    "IsDomainPrefixedPath": names.domain_prefixed_path,
    "IsRelaxedEnvVarName": names.variable,
    "IsValidPortNum": names.port_number,
    "IsValidPortName": names.port_name,
    "IsValidPercent": names.percent,
}


def name(row):
    """What of it is a name."""
    return differs(row["valid"], not VALIDATORS[row["validator"]](row["value"]), str(row["value"]))


def pairs(row):
    """Labels and annotations."""
    rule = metadata.label_pairs if row["kind"] == "labels" else metadata.annotations
    wrong = [error.message for error in rule(row["value"], "field")]
    if row["valid"]:
        return differs([], wrong)
    said = [text for text in wrong if row.get("message", "") in text]
    return [] if said else [f"wanted a refusal with {row.get('message')!r}, got {wrong}"]


def amount(row):
    """The quantity of a row."""
    return Quantity(row["int"] * Fraction(10) ** row["scale10"], row["format"])


def _printed(row):
    found = differs(row["out"], str(amount(row))) + differs(amount(row).amount, quantity.parse(row["out"]).amount)
    return found + (differs(amount(row).amount, quantity.parse(row["alternate"]).amount) if row["alternate"] else [])


def _parsed(row):
    if row["valid"]:
        return differs(amount(row), quantity.parse(row["input"]))
    return differs(True, refuses(QuantityError, quantity.parse, row["input"]), "a refusal")


def _kept(row):
    found = quantity.parse(row["input"])
    exact = differs(Fraction(row["decimal"]), found.amount) if "decimal" in row else differs(row["out"], str(found))
    return exact + differs(row.get("canonical", str(found)), str(found))


def _rounded(row):
    before = quantity.parse(row["input"])
    after = before.rounded_up(row["scale10"])
    return differs(amount(row["expect"]).amount, after.amount) + differs(row["exact"], after == before, "exact")


def _sum(row):
    left, right = amount(row["a"]), amount(row["b"])
    return differs(amount(row["out"]), left + right if row["kind"] == "add" else left - right)


QUANTITIES = {
    "parse": _parsed,
    "toString": _printed,
    "parseEmit": _kept,
    "parseExact": _kept,
    "roundUp": _rounded,
    "add": _sum,
    "sub": _sum,
    "float": lambda row: differs(float(row["out"]), float(amount(row).amount)),
}


def percent(row):
    """Numbers and percentages."""
    if row["kind"] == "parse":
        wanted = row["out"]["intVal"] if row["out"]["type"] == "Int" else row["out"]["strVal"]
        return differs(wanted, quantity.int_or_string(row["input"]))
    if row["kind"] == "parseIntOrPercent":
        return _number_or_percent(row)
    if row["error"]:
        return differs(True, refuses(QuantityError, quantity.scaled, row["input"], row["total"], row["roundUp"]))
    return differs(row["out"], quantity.scaled(row["input"], row["total"], row["roundUp"]))


def _number_or_percent(row):
    if row["error"]:
        return differs(True, refuses(QuantityError, quantity.figure, row["input"]))
    return differs((row["out"], row["isPercent"]), quantity.figure(row["input"]))


JUDGES = {
    "name_validation": name,
    "metadata_validation": pairs,
    "quantities": lambda row: QUANTITIES[row["kind"]](row),
    "int_or_percent": percent,
}
