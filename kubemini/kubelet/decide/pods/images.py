"""Images: what a registry says, whether one must be pulled, and what is told of it. Pure.

Theory of operation.

An image is there, or it is pulled, one after the other on a node, unless somebody says Never; ``Always`` asks the
registry each time. A pull that fails is tried again after 10, 20, 40 … 300 s, counted by pod and image; before that the
answer is ImagePullBackOff with the last error behind it.
Models k/k pkg/kubelet/images imageManager.EnsureImageExists imageManager.pullImage
Models distribution/reference ParseNormalizedNamed, in short: what is no name of an image
Simplified: an image has a size and no layers; whoever may pull it may use it.
"""

import hashlib
import re
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from kubemini.sim.units import MS, SECOND

ALWAYS, NEVER = "Always", "Never"
PRESENT = 'Container image "{}" already present on machine and can be accessed by the pod'
NO_SECRETS = "Unable to retrieve some image pull secrets ({}); attempting to pull the image may not succeed."
NEVER_PULLED = 'Container image "{}" is not present with pull policy of Never'
DENIED = (
    "failed to resolve image: pull access denied, repository does not exist or may require authorization: "
    "authorization failed: no basic auth credentials"
)
NO_SUCH_HOST = (
    'failed to resolve image: failed to do request: Head "https://{0}/v2/": dial tcp: lookup {0}: no such host'
)
NOWHERE = ".invalid"  # a registry that is called so has no address: RFC 6761 keeps the name for that
TAG = re.compile(r"(?P<name>.+?)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>[a-z0-9]+:[0-9a-f]{32,}))?")
PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
NAME = re.compile(rf"(?:(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::\d+)?/)?{PART}(?:/{PART})*")


@dataclass(slots=True)
class Image:
    """What a registry holds under a name; *trouble*: "", "missing", "denied", or its own words."""

    size: int = 12_000_000
    present: bool = False  # on every node from the start
    takes: int = SECOND  # µs of a pull
    trouble: str = ""
    secret: bool = False  # whoever shows credentials is let in


@dataclass(slots=True)
class Registry:
    """All that is known of images, by name without tag; any other is on every node, but what no registry can hold."""

    images: dict[str, Image] = field(default_factory=dict)

    def of(self, image: str) -> Image:
        """The one called *image*."""
        host = image.partition("/")[0]
        if host.endswith(NOWHERE) and "/" in image:
            return Image(takes=200 * MS, trouble=NO_SUCH_HOST.format(host))
        return self.images.get(without_tag(image)) or Image(present=True, takes=200 * MS)


class PullFailed(NamedTuple):
    """Why a container has no image: the reason of its state, and in words."""

    reason: str
    message: str


def without_tag(image: str) -> str:
    """The name alone."""
    head, _, last = image.rpartition("/")
    last = last.partition("@")[0].partition(":")[0]
    return f"{head}/{last}" if head else last


@cache
def problem(image: str) -> str:
    """Why *image* is no name of one, in the kubelet's words; "" if it is."""
    match = TAG.fullmatch(image)
    name = match["name"] if match else image
    if match and NAME.fullmatch(name):
        return ""
    why = "invalid reference format"
    repository = name.partition("/")[2] if "/" in name else name
    if NAME.fullmatch(repository.lower()) and repository != repository.lower():
        why += f": repository name ({repository.partition(':')[0]}) must be lowercase"
    elif (bare := repository.partition(":")[0]) != bare.lower():
        why += f": repository name ({bare}) must be lowercase"
    return f'Failed to apply default image tag "{image}": couldn\'t parse image name "{image}": {why}'


@cache
def resolved(image: str) -> str:
    """What an image is called by its content."""
    return f"{without_tag(image)}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"


def must_ask(policy: str, present: bool) -> bool:
    """Whether the registry is asked."""
    return policy == ALWAYS or not present


def failure(image: str, found: Image) -> str:
    """The runtime's words for a pull that failed."""
    start = f'failed to pull and unpack image "{image}": '
    if found.trouble == "missing":
        return f"rpc error: code = NotFound desc = {start}failed to resolve image: {image}: not found"
    return start + (DENIED if found.trouble == "denied" else found.trouble)


def pulled(image: str, took: int, waited: int, size: int) -> str:
    """The Event of a pull that went well; *took* and *waited*, all in all, in µs."""
    return (
        f'Successfully pulled image "{image}" in {_go(took)} ({_go(waited)} including waiting). '
        f"Image size: {size} bytes."
    )


def _go(time: int) -> str:
    """A duration as Go writes it, to the millisecond."""
    milliseconds = time // 1000
    return f"{milliseconds}ms" if milliseconds < 1000 else f"{milliseconds / 1000:.3f}".rstrip("0").rstrip(".") + "s"
