"""An inspection station: jobs, verdicts, their history, and outputs to the plant."""

from __future__ import annotations

from sdk.errors import JobError
from sdk.station.job import Job, load_job, load_jobs, save_job
from sdk.station.judge import judge
from sdk.station.rules import CheckDigitRule, DateRule, PatternRule, Rule, TextRule
from sdk.station.teach import teach_job
from sdk.station.verdict import RuleResult, Verdict

__all__ = [
    "CheckDigitRule",
    "DateRule",
    "Job",
    "JobError",
    "PatternRule",
    "Rule",
    "RuleResult",
    "TextRule",
    "Verdict",
    "judge",
    "load_job",
    "load_jobs",
    "save_job",
    "teach_job",
]
