"""Examples of each command for its help. The reference has the same command lines, which tests run."""

from tformance_seed.cli.hints import PROGRAM

#: Command, or the program for all -> its examples: what follows the program's name, and a remark.
EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    PROGRAM: (
        ("seed polar", "fill tformance.db with an organisation"),
        ("verify", "is it consistent? and a digest"),
        ("report", "what is in there?"),
        ("orgs", "which organisations and scenarios are there?"),
        ("seed -h", "the options of a command"),
    ),
    "seed": (
        ("seed", "one of modest size"),
        ("seed polar calcom --days 30", "two of the catalogue's"),
        ("seed --scenario ai-success", "weeks that show one effect"),
        ("seed polar --dry-run", "what would be done?"),
        ("seed --all", "all hundred"),
    ),
    "worker": (("worker --broker redis://host:6379/0", "until stopped"),),
    "status": (("status", "the latest run"), ("status --all", "every organisation with its stages")),
    "runs": (("runs", "all runs, the latest first"),),
    "retry": (("retry", "what failed in the latest run"),),
    "cancel": (("cancel", "the latest run"),),
    "orgs": (
        ("orgs", "the whole catalogue"),
        ("orgs billing", "what has this word in it"),
        ("orgs --scenarios", "what each scenario shows"),
    ),
    "preview": (("preview polar --week 2025-10-08", "the week of that Wednesday"),),
    "init": (("init", "every table that is missing"),),
    "weekly": (("weekly", "of everything that was seeded"),),
    "verify": (
        ("verify", "everything that was seeded"),
        ("verify polar", "one organisation"),
    ),
    "report": (
        ("report", "tables in the terminal"),
        ("report polar --markdown", "tables to paste"),
        ("report --html page.html", "a page of charts"),
    ),
    "export": (
        ("export --format csv --to exported", "a file a table"),
        ("export polar --format sql > polar.sql", "to load elsewhere"),
    ),
    "clear": (("clear polar --yes", "without a question"),),
    "doctor": (
        ("doctor", "schema, server and workers"),
        ("doctor --for production", "whatever is in it"),
        ("doctor --sql", "the remedies as a script for psql"),
    ),
    "serve": (("serve --database embedded:///pg", "until you press Ctrl-C"),),
    "schema": (("schema verify", "the schema of `verify --json`"),),
    "completion": (("completion bash", "see the reference for zsh and fish"),),
}


def epilog(command: str) -> str:
    r"""Return the examples of a command as Typer shows them below its options; ``\b`` keeps the lines."""
    lines = [(f"{PROGRAM} {example}", remark) for example, remark in EXAMPLES.get(command, ())]
    if not lines:
        return ""
    width = max(len(line) for line, _ in lines)
    return "\n".join(["\b", "Examples:", *(f"  {line:{width}}  # {remark}" for line, remark in lines)])
