"""`RetryEngine`: read lines, and read lines of low confidence again from other views.

Each line is read once from its unchanged box. The policy controls the further steps:

1. A page whose lines read better upside down is turned.
2. A line of low confidence is read from its candidate views. The readings vote until one text
   leads.
3. A line whose confidence is still low is read turned by 180 degrees.
4. With a pattern, the candidate that fits best gives the text.

The result does not depend on the number of workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from sdk.charset import Charset
from sdk.engine.worker_pool import WorkerPool
from sdk.model.retry_policy import Retries, RetryPolicy, VoteSettings
from sdk.model.views import WHOLE, CandidateView, PartView
from sdk.recognize.crops import COLUMN_PX, CropRecognizer
from sdk.recognize.ctc import character_pitch
from sdk.recognize.options import ReadOptions
from sdk.recognize.vocabulary import default_vocabulary
from sdk.retry.candidate import Candidate
from sdk.retry.direction import claim_of_turned, runs, witnesses
from sdk.retry.sources import CropLine, LineSource, Placed
from sdk.retry.vote import Vote

__all__ = ["Choice", "RetryEngine"]


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The candidates chosen for a line.

    Attributes:
        free: The candidate that gives the free text.
        fitted: The candidate whose text fits the pattern best. None without a pattern.
    """

    free: Candidate
    fitted: Candidate | None = None


@dataclass(slots=True, eq=False)
class _Line:
    """A line and its candidates so far.

    `turned` is the candidate read upside down. It may fit a pattern if `is_doubtful`. `chosen` is a
    candidate that overrides the vote.
    """

    source: LineSource
    candidates: list[Candidate] = field(default_factory=list)
    turned: Candidate | None = None
    is_doubtful: bool = False
    chosen: Candidate | None = None
    vote: Vote | None = None
    views: Iterator[CandidateView] = field(default_factory=lambda: iter(()))
    taken: dict[Placed, Candidate] = field(default_factory=dict)

    @property
    def best(self) -> Candidate:
        """The chosen candidate, else the elected one, else the one of highest confidence."""
        if self.chosen is not None:
            return self.chosen
        return self.vote.elected() if self.vote else max(self.candidates, key=_confidence)

    @property
    def seen(self) -> Candidate:
        """The best reading of the network, which tells the direction.

        A known word that replaces what was read is improbable in either direction.
        """
        best = self.best
        return best if best in self.candidates else max(self.candidates, key=_confidence)

    @property
    def all(self) -> list[Candidate]:
        """The candidates that may fit a pattern."""
        turned = self.turned if self.is_doubtful else None
        return [*self.candidates, *([turned] if turned else [])]

    @property
    def is_decided(self) -> bool:
        return self.vote is not None and self.vote.is_over

    def begin_vote(self, settings: VoteSettings, words_in: Charset | None) -> None:
        """Start a vote of the present and all later candidates, see `Vote`."""
        self.vote = Vote(settings, words_in)
        # highest confidence first: with a low lead the first candidate may end the vote
        for candidate in sorted(self.candidates, key=_confidence, reverse=True):
            if candidate.text.free.text:
                self.vote.add(candidate)

    def weigh_words(self, settings: VoteSettings, words_in: Charset) -> None:
        """Let the reading of a line that needs no further ones stand alone in a vote.

        How frequent words are says little against a sure reading, which may be of another language.
        """
        only, self.vote = self.best, Vote(replace(settings, frequency_bonus=0.0), words_in)
        self.vote.add(only)

    def add(self, candidate: Candidate) -> None:
        self.candidates.append(candidate)
        if self.vote is not None:
            self.vote.add(candidate)


class RetryEngine:
    """Reads the lines of one picture."""

    def __init__(
        self,
        recognizer: CropRecognizer,
        policy: RetryPolicy,
        retries: Retries,
        options: ReadOptions,
        workers: WorkerPool,
    ) -> None:
        """Prepare the reading.

        Args:
            recognizer: Reads line crops.
            policy: Rules of the vote and of turned lines.
            retries: When lines are read again: the policy's `photo` or `crop`.
            options: Options of decoding.
            workers: Worker pool that reads several crops at the same time.
        """
        self._recognizer = recognizer
        self._policy = policy
        self._retries = retries
        self._options = options
        self._workers = workers

    def read_page(
        self, sources: Sequence[LineSource], first: Sequence[Candidate | None]
    ) -> list[Choice]:
        """Return the choice for each line of a photo.

        Args:
            sources: The lines, highest detector score first.
            first: A reading of each line from the detector's features, or None.
        """
        lines = [
            _Line(source, [] if said is None else [said])
            for source, said in zip(sources, first, strict=True)
        ]
        self._read_view([x for x in lines if not x.candidates or self._is_unsure(x)], WHOLE)
        for members in runs([line.best for line in lines], self._policy.direction):
            self._turn_page([lines[i] for i in members])
        self._vote(lines)
        doubtful = [x for x in lines if x.seen.confidence < self._policy.flip.confidence]
        del doubtful[self._policy.flip.most_lines :]
        self._read_turned(doubtful)
        for line in doubtful:
            self._flip_doubtful(line)
        return [self._choice(line) for line in lines]

    def read_crop(self, source: CropLine) -> Choice:
        """Return the choice for a picture of one line."""
        lines = [_Line(turned) for turned in source.orientations(self._policy.orientation)]
        self._read_view(lines, WHOLE)
        line = max(lines, key=lambda x: x.best.confidence)
        self._vote([line])
        if len(lines) == 1:
            self._turn_crop(line)
        choice = self._choice(line)
        if choice.fitted is None or not self._retries.until_fit:
            return choice
        if choice.fitted.fit_confidence >= self._retries.confidence:
            return choice
        if len(lines) == 1:
            self._read_turned([line])
            line.is_doubtful = True
        self._read_views([(line, view) for view in self._views(line)])
        others = [x.best for x in lines if x is not line]
        return Choice(choice.free, self._fitted([*line.all, *line.taken.values(), *others]))

    def _turn_page(self, lines: list[_Line]) -> None:
        """Turn lines that run the same way if a few of them read much better upside down."""
        settings = self._policy.direction
        asked = [lines[i] for i in witnesses([x.best for x in lines], settings)]
        if self._claims(asked) <= settings.lead:
            return
        self._read_turned(lines)
        for line in lines:
            # a line may have the opposite direction to the rest of its page
            if self._claims([line]) > -settings.lead and line.turned is not None:
                line.source = line.source.turned(2)
                line.candidates, line.turned = [line.turned], line.best
                line.taken.clear()

    def _turn_crop(self, line: _Line) -> None:
        """Turn a single line if it reads much better upside down."""
        settings, best = self._policy.direction, line.seen
        asked = bool(witnesses([best], settings))
        doubtful = best.confidence < self._policy.flip.confidence
        if asked or doubtful:
            self._read_turned([line])
        if asked and self._claims([line]) > settings.lead:
            line.chosen = line.turned
        elif doubtful:
            self._flip_doubtful(line)

    def _flip_doubtful(self, line: _Line) -> None:
        """Choose the turned reading of a doubtful line if its confidence is higher."""
        turned = line.turned
        line.is_doubtful = True
        if turned and turned.confidence > line.seen.confidence + self._policy.flip.gain:
            line.chosen = turned

    def _claims(self, lines: list[_Line]) -> float:
        """Return the sum of `claim_of_turned` over lines."""
        self._read_turned(lines)
        return sum(
            claim_of_turned(line.seen, line.turned, self._policy.direction)
            for line in lines
            if line.turned is not None
        )

    def _read_turned(self, lines: list[_Line]) -> None:
        """Read lines upside down, each line at most once."""
        new = [line for line in lines if line.turned is None]
        candidates = self._workers.map(lambda x: self._read(x.source.turned(2), WHOLE), new)
        for line, candidate in zip(new, candidates, strict=True):
            line.turned = candidate

    def _vote(self, lines: list[_Line]) -> None:
        """Read lines of low confidence from their views until a text leads.

        Each round reads the same number of views of every open line, enough to keep the workers
        busy. Candidates after the one that ends a vote do not count.
        """
        words_in = self._recognizer.charset if self._may_hold_words else None
        unsure = [x for x in lines if self._is_unsure(x) and not self._is_hopeless(x)]
        if words_in is not None and self._policy.vote.word_bonus:
            for line in lines:  # a single reading, too, may hold a known word for possible
                line.weigh_words(self._policy.vote, words_in)
        for line in unsure:
            line.begin_vote(self._policy.vote, words_in)
            line.views = self._views(line)
        lines = unsure
        while lines := [line for line in lines if not line.is_decided]:
            each = max(1, len(self._workers) // len(lines))
            jobs = [(line, view) for line in lines for view in islice(line.views, each)]
            if not jobs:
                break
            self._read_views(jobs)

    def _views(self, line: _Line) -> Iterator[CandidateView]:
        """Return the views that apply to a line, in order of use."""
        aspect = line.source.aspect
        views = [x for x in self._retries.views if not x.max_aspect or aspect < x.max_aspect]
        columns = character_pitch(line.candidates[0].text.free)
        pitch = None if columns is None else columns * COLUMN_PX
        scaled = [x.scaled(pitch) if isinstance(x, PartView) else x for x in views]
        return iter([x for x in scaled if x is not None])

    def _read_view(self, lines: list[_Line], view: CandidateView) -> None:
        self._read_views([(line, view) for line in lines])

    def _read_views(self, jobs: list[tuple[_Line, CandidateView]]) -> None:
        """Add the candidates of views to their lines. No view is read twice."""
        placed = [(line, line.source.place(view)) for line, view in jobs]
        new = list(dict.fromkeys(job for job in placed if job[1] not in job[0].taken))
        candidates = self._workers.map(lambda job: self._read(job[0].source, job[1]), new)
        for (line, place), candidate in zip(new, candidates, strict=True):
            line.taken[place] = candidate
        for line, place in placed:
            if not line.is_decided:
                line.add(line.taken[place])

    def _read(self, source: LineSource, placed: Placed) -> Candidate:
        squeeze = 1.0 if placed == WHOLE else self._retries.squeeze
        crop = source.crop(placed, lambda width: self._recognizer.width_for(width, squeeze))
        text = self._recognizer.read(crop.pixels, self._options)
        kept = crop.pixels if self._options.lattice else None
        return Candidate(source.score, crop.box, crop.area, text, kept)

    def _choice(self, line: _Line) -> Choice:
        fitted = None if self._options.automaton is None else self._fitted(line.all)
        return Choice(line.best, fitted)

    def _fitted(self, candidates: list[Candidate]) -> Candidate:
        return max(candidates, key=lambda candidate: candidate.fit_probability)

    def _is_unsure(self, line: _Line) -> bool:
        confidence, enough = line.best.confidence, self._retries.confidence
        known_enough = self._retries.known_confidence
        if known_enough <= confidence < enough and self._may_hold_words:
            return not default_vocabulary().is_known(line.best.text.free.text)
        return confidence < enough

    @property
    def _may_hold_words(self) -> bool:
        """Whether a vocabulary may help: a charset or a pattern says more about the texts."""
        options = self._options
        return options.words and options.mask is None and options.automaton is None

    def _is_hopeless(self, line: _Line) -> bool:
        """Tell whether a line's confidence is so low that further views would only cost time.

        With a pattern no line is hopeless, because a view may fit the pattern.
        """
        return self._options.automaton is None and line.best.confidence < self._retries.hopeless


def _confidence(candidate: Candidate) -> float:
    return candidate.confidence
