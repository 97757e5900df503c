"""How late packets have lately been, and so for how long it is worth waiting for one.

Waiting is worth it as long as more than one packet in 200 would otherwise be missed. Packets
that come later than anybody waits for say nothing about how long to wait, except that it is
no use. What was measured is forgotten by and by: half of it within the next 350 packets, which
are 7 s. At the start little was measured, so that the first late packet counts for much.
"""

from __future__ import annotations

MISSED = 0.005  # concealing one packet in 200 costs no word
_BUCKET_S = 0.005
_GROWTH = 1.002  # each packet weighs that much more than the one before it
_HEAVIEST = 1e9  # then all weights are scaled down, long before numbers lose digits
_REVIEW = 50  # packets that come in time shorten the wait: looked at once a second


class Lateness:
    """Feed it the lateness of every packet, in time or late; read `patience_s`."""

    def __init__(self, least_s: float, most_s: float) -> None:
        self.patience_s = least_s
        self._least_s = least_s
        self._buckets = [0.0] * round(most_s / _BUCKET_S)
        self._total = 0.0
        self._weight = 1.0
        self._unseen = 0

    def add(self, late_s: float) -> None:
        """One packet came so much later than it would have had to."""
        self._weight *= _GROWTH
        self._total += self._weight
        self._unseen += 1
        if late_s > 0:
            bucket = int(late_s / _BUCKET_S)
            if bucket < len(self._buckets):
                self._buckets[bucket] += self._weight
                self._unseen = _REVIEW
        if self._unseen >= _REVIEW:
            self._review()

    def _review(self) -> None:
        self._unseen = 0
        missed = 0.0
        self.patience_s = self._least_s
        for bucket in reversed(range(len(self._buckets))):
            missed += self._buckets[bucket]
            if missed > MISSED * self._total:
                self.patience_s = max(self._least_s, (bucket + 1) * _BUCKET_S)
                break
        if self._weight > _HEAVIEST:
            self._buckets = [weight / self._weight for weight in self._buckets]
            self._total /= self._weight
            self._weight = 1.0
