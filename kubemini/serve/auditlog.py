"""The audit log on disk: a policy is read from a file, and events are written to another, one a line.

Models k/apiserver pkg/audit/policy LoadPolicyFromFile, plugin/pkg/audit/log backend.
Simplified: the file grows: it is neither rotated nor cut.
"""

import json
from pathlib import Path

import yaml

from kubemini.api.objects import Obj
from kubemini.apiserver.decide.audit import policy

PRINTED = "-"


def read_policy(file: Path) -> policy.Policy:
    """The policy in *file*. Raises ValueError that names the file and says what is wrong."""
    try:
        return policy.read(yaml.safe_load(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ValueError(f"--audit-policy-file: cannot read {file}: {error.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError):
        raise ValueError(f"--audit-policy-file: {file} is no YAML; write a Policy of {policy.API_VERSION}") from None
    except ValueError as wrong:
        raise ValueError(f"--audit-policy-file: {wrong}: from file {file}") from None


class Log:
    """Where events go: a file, or with - what the program prints."""

    def __init__(self, path: str):
        self._path = path
        try:
            self._put("")
        except OSError as error:
            raise ValueError(f"--audit-log-path: cannot write {path}: {error.strerror}") from None

    def write(self, event: Obj) -> None:
        """One event more."""
        self._put(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")

    def _put(self, text: str) -> None:
        if self._path == PRINTED:
            print(text, end="", flush=True)
            return
        with Path(self._path).open("a", encoding="utf-8") as file:
            file.write(text)
