"""A file of static tokens, as --token-auth-file of kube-apiserver reads it: token,user,uid,"group1,group2".

Models k/apiserver pkg/authentication/token/tokenfile NewCSV.
"""

import csv
from pathlib import Path

from kubemini.apiserver.decide.access.users import UserInfo


def read_tokens(file: Path) -> dict[str, UserInfo]:
    """token → user. Raises ValueError that names the line and says how one is written."""
    try:
        rows = list(csv.reader(file.read_text(encoding="utf-8").splitlines(), skipinitialspace=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = getattr(error, "strerror", None) or "it is no text with commas"
        raise ValueError(f"cannot read {file}: {why}; name a file of lines token,user,uid") from None
    found: dict[str, UserInfo] = {}
    for number, row in enumerate(rows, start=1):
        if not row:
            continue
        token, name, uid, groups = (*row, "", "", "")[:4]
        if len(row) < 3 or not token:
            raise ValueError(f'{file}, line {number}: write token,user,uid and, if need be, "group1,group2"')
        if token in found:
            raise ValueError(f"{file}, line {number}: this token stands above already; give each user one of its own")
        found[token] = UserInfo(name, tuple(group for group in groups.split(",") if group), uid)
    return found
