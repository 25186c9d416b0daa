"""/finalize: the finalizers of a Namespace. Pure.

Models k/k pkg/registry/core/namespace/storage FinalizeREST, pkg/apis/core/validation validateFinalizerName.
"""

from typing import Any

from kubemini.api import errors
from kubemini.api.errors import ApiError, FieldError
from kubemini.api.kinds import Kind
from kubemini.apiserver.decide import decoding


def wrong_finalizers(kind: Kind, name: str, finalizers: Any) -> ApiError | None:
    """Why a Namespace may not have these finalizers, or None: the standard one, or names with a domain."""
    what = "name is neither a standard finalizer name nor is it fully qualified"
    found = [
        FieldError("FieldValueInvalid", f"spec.finalizers[{number}]", f"Invalid value: {decoding.quoted(one)}: {what}")
        for number, one in enumerate(finalizers)
        if one != "kubernetes" and "/" not in one
    ]
    return errors.invalid(kind, name, found) if found else None
