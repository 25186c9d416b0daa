"""The volumes of a pod as the server completes them: modes of files, types of paths, whose token how long.

Models k/k pkg/apis/core/v1 SetDefaults_Volume SetDefaults_SecretVolumeSource SetDefaults_ProjectedVolumeSource
SetDefaults_ServiceAccountTokenProjection SetDefaults_HostPathVolumeSource SetDefaults_ObjectFieldSelector.
"""

from collections.abc import Mapping
from typing import Any

from kubemini.apiserver.rules.containers import filled, pull_policy, unset

FILES = ("secret", "configMap", "downwardAPI", "projected")  # volumes of files that are written for the pod
MODE = 0o644
HOUR = 3600


def volume_defaults(volume: Mapping[str, Any]) -> dict[str, Any]:
    """*volume* with every default; one that says nothing is an empty directory."""
    full = dict(volume)
    if not any(value is not None for key, value in full.items() if key != "name"):
        full["emptyDir"] = {}
    for key in FILES:
        if full.get(key) is not None:
            full[key] = _files(unset(full[key], defaultMode=MODE))
    if full.get("hostPath") is not None:
        full["hostPath"] = unset(full["hostPath"], type="")
    if full.get("image") is not None:
        full["image"] = filled(full["image"], pullPolicy=pull_policy(full["image"].get("reference") or ""))
    return full


def _files(source: dict[str, Any]) -> dict[str, Any]:
    """A source of files, with what its parts leave out."""
    full = dict(source)
    if full.get("sources"):
        full["sources"] = [_part(one) for one in full["sources"]]
    if full.get("items"):
        full["items"] = [_item(one) for one in full["items"]]
    return full


def _part(source: Mapping[str, Any]) -> dict[str, Any]:
    """One part of a projected volume."""
    full = dict(source)
    if full.get("serviceAccountToken") is not None:
        full["serviceAccountToken"] = unset(full["serviceAccountToken"], expirationSeconds=HOUR)
    if full.get("downwardAPI") is not None:
        full["downwardAPI"] = _files(full["downwardAPI"])
    return full


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    """A file that tells a field of the pod."""
    if item.get("fieldRef") is None:
        return dict(item)
    return {**item, "fieldRef": filled(item["fieldRef"], apiVersion="v1")}
