"""A classifier that is to know generated weeks from real ones; 0.5 is what guessing achieves."""

import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.realism.histories import Change
from benchmarks.realism.tells import TELLS, Tell

#: Number of merged pull requests of a week at least.
SMALLEST_WEEK = 8

#: Tells of which a clone of squashed commits has something else: their messages, and no issues.
LEFT_OUT = ("issues that are newer than the one before", "length of a body, median (log10)")

#: The random state of forests and of the folds.
STATE = 1


def weeks(changes: Sequence[Change]) -> list[list[Change]]:
    """Return the pull requests of each calendar week that has enough of them."""
    by_week: dict[tuple[int, int], list[Change]] = {}
    for change in changes:
        by_week.setdefault(change.merged_at.isocalendar()[:2], []).append(change)
    return [week for _, week in sorted(by_week.items()) if len(week) >= SMALLEST_WEEK]


def features(week: Sequence[Change]) -> list[float]:
    """Return the tells of a week, apart from those that need a hundred titles."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [tell.figure(week) for tell in _weekly_tells()]


def _weekly_tells() -> list[Tell]:
    return [tell for tell in TELLS if "100" not in tell.name and tell.name not in LEFT_OUT]


def accuracies(real: dict[str, list[Change]], generated: dict[str, list[Change]]) -> dict[str, float]:
    """Return accuracies of cross-validation: by what is held out, without and with words of titles.

    Weeks of both kinds are equally many, those of a repository at most as many as the least have.
    """
    rows, words, label, group = [], [], [], []
    lists = {
        (kind, name): weeks(changes)
        for kind, some in ((0, real), (1, generated))
        for name, changes in some.items()
    }
    count = min(map(len, lists.values()))
    for place, ((kind, _), some) in enumerate(lists.items()):
        for index in np.linspace(0, len(some) - 1, count).astype(int).tolist():
            rows.append(features(some[index]))
            words.append(" \n ".join(change.title for change in some[index] if not change.is_bot))
            label.append(kind)
            group.append(place % len(real))  # a real repository and a generated one are held out together
    x, y = np.array(rows), np.array(label)
    repositories = GroupKFold(len(real))
    held_out_weeks = StratifiedKFold(5, shuffle=True, random_state=STATE)
    forest = make_pipeline(SimpleImputer(), RandomForestClassifier(300, random_state=STATE))
    text = np.array([[some] for some in words], dtype=object)
    both = np.hstack([text, x])
    with_words = make_pipeline(
        ColumnTransformer(
            [
                ("words", TfidfVectorizer(min_df=2, sublinear_tf=True), 0),
                ("tells", make_pipeline(SimpleImputer(), StandardScaler()), list(range(1, both.shape[1]))),
            ]
        ),
        LogisticRegression(max_iter=2000),
    )

    def score(model: object, values: np.ndarray, cv: object) -> float:
        groups = group if cv is repositories else None
        return float(np.mean(cross_val_score(model, values, y, groups=groups, cv=cv)))

    return {
        "other repositories, tells": score(forest, x, repositories),
        "other repositories, tells and words": score(with_words, both, repositories),
        "other weeks, tells": score(forest, x, held_out_weeks),
        "other weeks, tells and words": score(with_words, both, held_out_weeks),
    }


def telling(real: dict[str, list[Change]], generated: dict[str, list[Change]]) -> list[tuple[str, float]]:
    """Return the tells by their importance to the forest, the most telling first."""
    rows, label = [], []
    for kind, some in ((0, real), (1, generated)):
        for changes in some.values():
            for week in weeks(changes):
                rows.append(features(week))
                label.append(kind)
    forest = RandomForestClassifier(300, random_state=STATE)
    forest.fit(SimpleImputer(keep_empty_features=True).fit_transform(np.array(rows)), label)
    names = [tell.name for tell in _weekly_tells()]
    return sorted(zip(names, forest.feature_importances_.tolist(), strict=True), key=lambda pair: -pair[1])
