"""A vote of the candidates of one line for their texts, weighted by confidence.

The vote ends when one text leads far enough. The final text has the highest mean probability under
all candidates, weighed by the language model and the vocabulary. It is a text that was read, or
such a text with a known word, or a well-formed vehicle number, in place of what is similar to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sdk.charset import Charset
from sdk.model.retry_policy import VoteSettings
from sdk.recognize import vehicle
from sdk.recognize.ctc import CtcText, aligned
from sdk.recognize.forward import text_log_probabilities
from sdk.recognize.language import default_language
from sdk.recognize.vocabulary import default_vocabulary
from sdk.retry.candidate import Candidate

__all__ = ["Vote"]

_SUREST = 1 - 2.0**-30
"""Highest confidence of a character of such a text: a power of 1 is never lower than 1."""

_CHECK_DIGIT_NATS = math.log(11)
"""How much less probable a right check digit is in a misread number: one of eleven is right."""

_WITH_VARIANTS = 3
"""Number of likeliest texts whose unknown words are looked up."""


class Vote:
    """Counts the candidates of one line one by one, until one text leads far enough."""

    def __init__(self, settings: VoteSettings, words_in: Charset | None = None) -> None:
        """Start without candidates.

        Args:
            settings: When the vote ends, and how the final text is chosen.
            words_in: Charset of the candidates, where known words are preferred, and may replace
                unknown ones. None leaves words alone.
        """
        self._settings = settings
        self._words_in = words_in if settings.word_bonus else None
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
        model and the vocabulary prefer the usual one. A text that no candidate has read is given by
        the candidate under which it is likeliest. See `_with_confidence`
        for its confidences.
        """
        if self._elected is None:
            self._elected = self._elect()
        return self._elected

    def _elect(self) -> Candidate:
        read = [text for text in self._votes if text.strip()]
        if not read:
            return self._surest[max(self._votes, key=lambda text: self._votes[text])]
        known = self._similar_known(read) if len(read) == 1 else []
        if len(read) == 1 and not known:
            return self._surest[read[0]]
        ids = [self._surest[text].text.free.ids for text in read]
        log_probs = self._log_probabilities(ids)
        if len(read) > 1:
            likeliest = np.argsort(-_log_sums(log_probs), kind="stable")[:_WITH_VARIANTS]
            known = self._similar_known([read[i] for i in likeliest])
        texts = [*read, *known]
        if known and self._words_in is not None:
            new = [tuple(self._words_in.encode(text).tolist()) for text in known]
            log_probs = np.concatenate([log_probs, self._log_probabilities(new)], 1)
            ids += new
        likely = _log_sums(log_probs) + self._usual(texts)
        # the votes break ties of probabilities that are all zero
        votes = [self._votes.get(text, -1.0) for text in texts]
        best = max(range(len(texts)), key=lambda i: (likely[i], votes[i]))
        if best < len(read) or self._words_in is None:
            return self._surest[texts[best]]
        candidate = self._counted[int(log_probs[:, best].argmax())]
        corrected = aligned(candidate.text.log_probs, ids[best], self._words_in)
        probability = float(np.exp(likely[best] - np.logaddexp.reduce(likely)))
        surer = self._with_confidence(corrected, probability)
        return replace(candidate, text=replace(candidate.text, free=surer))

    def _with_confidence(self, text: CtcText, probability: float) -> CtcText:
        """Return a text that no candidate has read with the confidences of its characters.

        A character is at least as probable as the text, of which a known word says much. The whole
        is no surer than the surest reading: known words are similar to what noise is read as, too.
        """
        surest = max(candidate.confidence for candidate in self._counted)
        confidences = (min(max(p, probability), _SUREST) for p in text.confidences)
        floored = replace(text, confidences=tuple(confidences))
        if floored.confidence <= surest:
            return floored
        power = math.log(surest) / math.log(floored.confidence)
        return replace(floored, confidences=tuple(p**power for p in floored.confidences))

    def _log_probabilities(self, ids: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """Return the log probability of each text under each candidate, (candidates, texts)."""
        return text_log_probabilities([c.text.log_probs for c in self._counted], ids)

    def _similar_known(self, read: Sequence[str]) -> list[str]:
        """Return new texts: texts that were read with known words in place of unknown ones.

        Well-formed vehicle numbers are known, too.
        """
        if self._words_in is None:
            return []
        found = [new for text in read for new in default_vocabulary().variants(text)]
        if self._settings.vehicle_bonus:
            found += [new for text in read for new in vehicle.variants(text)]
        return [
            text
            for text in dict.fromkeys(found)
            if text not in self._votes and all(c in self._words_in for c in text)
        ]

    def _usual(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return what language model and vocabulary add to the log probability of each text."""
        settings = self._settings
        added = np.zeros(len(texts))
        if settings.language_weight:
            language = default_language()
            said = np.array([language.log_probability(text) for text in texts])
            length = np.array([len(text) for text in texts])
            added += settings.language_weight * said + settings.language_bonus * length
        if self._words_in is not None:
            known = np.array([default_vocabulary().known_letters(text) for text in texts])
            added += known @ [settings.word_bonus, settings.frequency_bonus]
            if settings.vehicle_bonus:
                added += [self._vehicle_bonus(text) for text in texts]
        return added

    def _vehicle_bonus(self, text: str) -> float:
        """Return what the vehicle numbers of a text add to its log probability."""
        numbers, right = vehicle.count(text)
        return self._settings.vehicle_bonus * numbers + _CHECK_DIGIT_NATS * right


def _log_sums(log_probs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithm of each text's sum of probabilities, (candidates, texts) to (texts)."""
    with np.errstate(divide="ignore"):
        sums: NDArray[np.float64] = np.log(np.exp(log_probs).sum(0))
    return sums
