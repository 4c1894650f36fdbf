"""An inspection station: jobs, verdicts, the history of verdicts, and outputs to the plant."""

from __future__ import annotations

from sdk.errors import HistoryError, JobError, OutputError
from sdk.station.field import Field
from sdk.station.history import History, Record, Statistic
from sdk.station.inspection import Inspection
from sdk.station.job import Job, load_job, load_jobs, save_job
from sdk.station.judge import judge
from sdk.station.outputs import Outputs
from sdk.station.readers import JobReaders
from sdk.station.rules import CheckDigitRule, DateRule, PatternRule, Rule, TextRule
from sdk.station.station import Station
from sdk.station.teach import line_pattern, teach_job
from sdk.station.verdict import RuleResult, Verdict

__all__ = [
    "CheckDigitRule",
    "DateRule",
    "Field",
    "History",
    "HistoryError",
    "Inspection",
    "Job",
    "JobError",
    "JobReaders",
    "OutputError",
    "Outputs",
    "PatternRule",
    "Record",
    "Rule",
    "RuleResult",
    "Station",
    "Statistic",
    "TextRule",
    "Verdict",
    "judge",
    "line_pattern",
    "load_job",
    "load_jobs",
    "save_job",
    "teach_job",
]
