"""Custom resources: defaults and complaints by the structural schema of their CustomResourceDefinition.

    defaults(obj)          with every default that the schema gives to a place that is there
    complaints(obj)        what does not fit, in the words of the API server; then those of the kind's own rules

Theory: the schema is walked beside the object. Some complaints (a missing field, a wrong type, a value that is not in
the list, too many or too long) stop the rules in CEL from being asked, and the answer says so.
Models k/apiextensions-apiserver pkg/apiserver/schema/defaulting Default; pkg/apiserver/validation
ValidateCustomResource; pkg/apiserver/schema/listtype ValidateListSetsAndMaps; pkg/registry/customresource
customResourceStrategy.Validate, hasBlockingErr
Simplified: CEL is not run; a kind's file has the rules that readers meet, by hand.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kubemini.api.objects import Obj
from kubemini.api.schema import custom
from kubemini.apiserver.rules.causes import Wrong, invalid, wrong_as_a_whole
from kubemini.apiserver.rules.customs import judging

Schema = Mapping[str, Any]


def _schema(obj: Obj) -> Schema:
    found = custom.of(obj["apiVersion"], obj["kind"])
    assert found is not None, f"no CRD of {obj['kind']} is known: derive it into customresources.json"
    return found


def defaults(obj: Obj) -> Obj:
    """*obj* with every default of its CRD."""
    found: Obj = custom.filled(obj, _schema(obj))
    return found


def complaints(obj: Obj, rules: Callable[[Obj], Wrong]) -> Wrong:
    """Every complaint; *rules* stands for the rules in CEL."""
    schema = _schema(obj)
    found = [*judging.judged(obj, schema), *judging.doubles(obj, schema)]
    yield from found
    if not judging.is_blocking(found):
        yield from rules(obj)
    elif custom.has_rules(obj["apiVersion"], obj["kind"]):
        yield invalid("<nil>", None, judging.NOT_CHECKED)


says = wrong_as_a_whole  # so a rule in CEL speaks
