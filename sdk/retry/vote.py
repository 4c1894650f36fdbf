"""A vote of the candidates of one line for their texts, weighted by confidence.

The vote ends when one text leads far enough. The final text has the highest mean probability under
all candidates, weighed by the language model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sdk.model.retry_policy import VoteSettings
from sdk.recognize.forward import text_log_probabilities
from sdk.recognize.language import default_language
from sdk.retry.candidate import Candidate

__all__ = ["Vote"]


class Vote:
    """Counts the candidates of one line one by one, until one text leads far enough."""

    def __init__(self, settings: VoteSettings) -> None:
        """Start without candidates."""
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
        # the network is always confident that an empty crop is empty: no vote against a text
        more = candidate.confidence**self._settings.power if text.strip() else 0.0
        votes[text] = votes.get(text, 0.0) + more
        if text not in self._surest or candidate.confidence > self._surest[text].confidence:
            self._surest[text] = candidate
        first, second, *_ = (*sorted(votes.values(), reverse=True), 0.0)
        self.is_over = first - second >= self._settings.lead

    def elected(self) -> Candidate:
        """Return the candidate of highest confidence of the text that is likeliest overall.

        The votes only decide how many candidates are read, because votes are cheap to count. The
        likeliest text has the highest mean of its probabilities under all candidates. A candidate
        that reads another text still gives this text a probability. Of similar texts, the language
        model prefers the usual one.
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
            with np.errstate(divide="ignore"):
                likely = np.log(likely) + self._usual(texts)
            # the votes break ties of probabilities that are all zero
            rank = dict(zip(texts, likely.tolist(), strict=True))
            return surest[max(texts, key=lambda text: (rank[text], votes[text]))]
        return surest[max(votes, key=lambda text: votes[text])]

    def _usual(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return what the language model adds to the log probability of each text."""
        weight, bonus = self._settings.language_weight, self._settings.language_bonus
        if not weight:
            return np.zeros(len(texts))
        language = default_language()
        return np.array([weight * language.log_probability(t) + bonus * len(t) for t in texts])
