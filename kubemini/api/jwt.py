"""JSON web tokens: claims, and a signature that only who has the key can make.

    header.claims.signature        each in base64

Simplified: the signature is HMAC-SHA256, where real servers have a pair of keys (RS256) whose public half others may
ask for.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Mapping
from typing import Any


def signed(claims: Mapping[str, Any], key: bytes) -> str:
    """The token that says *claims*."""
    text = f"{_encoded({'alg': 'HS256', 'kid': _kid(key)})}.{_encoded(claims)}"
    return f"{text}.{_signature(text, key)}"


def claims_of(token: str) -> dict[str, Any] | None:
    """What *token* says, whoever made it; None if it is no token."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        found = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, Error):
        return None
    return found if isinstance(found, dict) else None


def is_signed(token: str, key: bytes) -> bool:
    """Whether it was made with *key*."""
    text, _, signature = token.rpartition(".")
    return hmac.compare_digest(signature, _signature(text, key))


def _encoded(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def _signature(text: str, key: bytes) -> str:
    return urlsafe_b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode().rstrip("=")


def _kid(key: bytes) -> str:
    """Which key it was."""
    return urlsafe_b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")
