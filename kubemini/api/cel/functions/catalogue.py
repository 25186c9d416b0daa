"""All functions of CEL that Kubernetes 1.37 knows: the modules that fill the table, and the table.

Models k/apiserver pkg/cel/environment MustBaseEnvSet.
Simplified: no zone of time by its name.
"""

from kubemini.api.cel.functions import access, forms, kubernetes, operators, texts, times
from kubemini.api.cel.functions.overloads import TABLE, Overload

__all__ = ["TABLE", "Overload", "access", "forms", "kubernetes", "operators", "texts", "times"]
