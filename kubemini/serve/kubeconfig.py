"""The file that kubectl reads: where the doors are, whom to believe, and who one is.

One context a door; the first is the one in use. Models k/client-go tools/clientcmd/api/v1 Config.
"""

import base64
import os
from collections.abc import Mapping
from pathlib import Path

import yaml

from kubemini.serve.certificates import Signed

USER = "kubernetes-admin"


def text(doors: Mapping[str, str], authority: bytes, admin: Signed) -> str:
    """A kubeconfig for *doors*, a URL a context, as *admin*; all that it needs stands in it."""
    clusters = [
        {"name": name, "cluster": {"server": url, "certificate-authority-data": _base64(authority)}}
        for name, url in doors.items()
    ]
    keys = {
        "client-certificate-data": _base64(admin.certificate),
        "client-key-data": _base64(admin.key),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": next(iter(doors)),
        "clusters": clusters,
        "contexts": [{"name": name, "context": {"cluster": name, "user": USER}} for name in doors],
        "users": [{"name": USER, "user": keys}],
    }
    return yaml.safe_dump(config, sort_keys=False)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def write(file: Path, content: str) -> None:
    """Write *content* where only its owner may read it, and all at once: who sees the file may use it.

    Raises ValueError that says what to do.
    """
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(content)
        draft.replace(file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        why = error.strerror or error
        raise ValueError(f"cannot write the kubeconfig {file}: {why}; name another file with --kubeconfig") from None
