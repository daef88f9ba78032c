"""What a soak did, and what it found."""

import sys
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Findings:
    """Counts of what was done by kind, and everything that should not have happened."""

    kills: Counter[str] = field(default_factory=Counter)
    rounds: Counter[str] = field(default_factory=Counter)
    inputs: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def add(self, others: "Findings") -> None:
        """Add what others did and found."""
        self.kills += others.kills
        self.rounds += others.rounds
        self.inputs += others.inputs
        self.problems += others.problems

    def report(self, problem: str) -> None:
        """Note a problem, and show it at once."""
        self.problems.append(problem)
        print(f"PROBLEM: {problem}", file=sys.stderr)

    def check_output(self, where: str, text: str) -> None:
        """Note an error in the output of a process that stands there in the interpreter's own words."""
        for words in ("Traceback", "The above exception", "During handling of"):
            if words in text:
                self.report(f"{where}: {text[max(0, text.index(words) - 200) :][:1500]}")
                return
