"""Candidates of one line vote for their texts, sure ones with more weight.

The vote ends when one text is far enough ahead. Then what all candidates say is averaged.
"""

from __future__ import annotations

import numpy as np

from sdk.model.retry_policy import VoteSettings
from sdk.recognize.forward import text_log_probabilities
from sdk.retry.candidate import Candidate

__all__ = ["Vote"]


class Vote:
    """Candidates of one line, counted one by one until one text is far enough ahead."""

    def __init__(self, settings: VoteSettings) -> None:
        """Begin without a candidate."""
        self._settings = settings
        self._offered = 0
        self._counted: list[Candidate] = []
        self._votes: dict[str, float] = {}
        self._surest: dict[str, Candidate] = {}
        self._elected: Candidate | None = None
        self.is_over = False

    def __len__(self) -> int:
        """Return the number of candidates that were counted."""
        return len(self._counted)

    def add(self, candidate: Candidate) -> None:
        """Count a candidate, unless the vote is over."""
        text, votes = candidate.text.free.text, self._votes
        self._offered += 1
        late = self._offered > self._settings.single_character_readings
        if self.is_over or (late and len(text) < 2):
            return
        self._counted.append(candidate)
        self._elected = None
        # an empty crop is surely empty: that is no vote against a text
        more = candidate.confidence**self._settings.power if text.strip() else 0.0
        votes[text] = votes.get(text, 0.0) + more
        if text not in self._surest or candidate.confidence > self._surest[text].confidence:
            self._surest[text] = candidate
        first, second, *_ = (*sorted(votes.values(), reverse=True), 0.0)
        self.is_over = first - second >= self._settings.lead

    def elected(self) -> Candidate:
        """Return the surest candidate of the text that is likeliest by all candidates together.

        Votes tell how many candidates are worth reading, since they cost next to nothing. Of the
        texts that were read, the one with the highest mean of its probabilities under the
        candidates is taken: a candidate that reads another text still says how likely this one is.
        """
        if self._elected is None:
            self._elected = self._elect()
        return self._elected

    def _elect(self) -> Candidate:
        votes, surest = self._votes, self._surest
        texts = [text for text in votes if text.strip()]
        if len(texts) > 1:
            readings = [candidate.text.log_probs for candidate in self._counted]
            ids = [surest[text].text.free.ids for text in texts]
            likely = np.exp(text_log_probabilities(readings, ids)).sum(0)
            # where all are too improbable to tell, the votes decide
            rank = dict(zip(texts, likely.tolist(), strict=True))
            return surest[max(texts, key=lambda text: (rank[text], votes[text]))]
        return surest[max(votes, key=lambda text: votes[text])]
