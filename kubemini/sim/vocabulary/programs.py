"""Programs and machines: they start, stand still and end."""

from kubemini.sim.vocabulary.word import ANYBODY, HOST, KUBELET, seconds, word


def _of_clock(offset: int, rate: float) -> str:
    """What a clock is like: ``is 1.500 s ahead and runs at 1.2``."""
    side = "ahead" if offset >= 0 else "behind"
    return f"its clock is {seconds(abs(offset))} s {side} and runs at {rate:g}"


word("start", ANYBODY, "a component starts; {}", lambda d: "starts", deed=True, drawn=True)
word(
    "crash",
    ANYBODY,
    "a component dies, its memory is gone; {}",
    lambda d: "crashes",
    deed=True,
    drawn=True,
)
word(
    "panic",
    ANYBODY,
    "a component's own code fails; {type, message: of the exception, where: in our code}; it crashes of it",
    lambda d: f"fails of a defect in its own code: {d['type']} {d['message']} in {d['where']}",
)
word(
    "defect",
    KUBELET,
    "a program in a container fails in its own code; {pod, container, program, type, message, where}; its process ends",
    lambda d: f"{d['program']} in {d['container']} of {d['pod']} ends of a defect: {d['type']} {d['message']}",
)
word(
    "exit",
    ANYBODY,
    "a component ends by itself, or because it was told to, in peace; {why}",
    lambda d: f"ends: {d['why']}",
    deed=True,
    drawn=True,
)
word("log", ANYBODY, "a component writes into its log what others quote; {text}", lambda d: f"says: {d['text']}")
word(
    "pause",
    ANYBODY,
    "a component stands still, as after SIGSTOP; {}",
    lambda d: "stands still",
    deed=True,
    drawn=True,
)
word("resume", ANYBODY, "it goes on; {}", lambda d: "goes on", deed=True, drawn=True)
word(
    "power_off",
    HOST,
    "a host loses power: memory gone, disk kept; {}",
    lambda d: "loses power",
    deed=True,
    drawn=True,
)
word(
    "power_on",
    HOST,
    "the host boots and starts its components; {}",
    lambda d: "boots",
    deed=True,
    drawn=True,
)
word(
    "clock",
    ANYBODY,
    "the clock of a host or of one program is set; {offset: µs ahead of the true date, rate: 1 as it should run}",
    lambda d: _of_clock(d["offset"], d["rate"]),
    deed=True,
    drawn=True,
)
word(
    "slow_disk",
    HOST,
    "a host's fsync takes longer from now on; {extra: µs}",
    lambda d: f"every fsync takes {seconds(d['extra'])} s longer",
    deed=True,
    drawn=True,
)
