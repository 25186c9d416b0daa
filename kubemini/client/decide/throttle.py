"""How often a client may ask: a bucket of tokens that fills at a rate, as `golang.org/x/time/rate` has it. Pure.

Models k/client-go util/flowcontrol NewTokenBucketRateLimiter
Models k/client-go util/workqueue TypedBucketRateLimiter.When
"""


class Throttle:
    """*burst* at once, then one each *period* µs; whoever has no token waits for one, in order of asking."""

    __slots__ = ("burst", "due", "period")

    def __init__(self, period: int, burst: int):
        self.period, self.burst = period, burst
        self.due = 0  # when the bucket is full again (µs)

    def reserve(self, now: int) -> int:
        """Take a token; how long (µs) to wait before it may be used."""
        self.due = max(self.due, now) + self.period
        return max(0, self.due - self.burst * self.period - now)
