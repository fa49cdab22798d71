"""What a seed keeps from training, so that it can be asked afterwards: tasks of each cluster, wordings of each task."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tutelage.tasks.task import Task, Template

Can = Callable[[str], bool]


@dataclass(frozen=True)
class KeptBack:
    """Whole tasks, and by task the ids of templates."""

    tasks: tuple[str, ...] = ()
    templates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def keep_tasks(
    tasks: Iterable[Task], count: int, seed: int, can_be_asked: Can, can_be_trained_on: Can
) -> tuple[str, ...]:
    """So many tasks of each cluster, drawn by seed; every cluster keeps one to be trained on.

    Those that could not be trained on anyway come first; a task of several clusters counts in each.
    """
    clusters: dict[str, list[str]] = {}
    of_task: dict[str, tuple[str, ...]] = {}
    for task in tasks:
        of_task[task.name] = task.clusters
        for cluster in task.clusters:
            clusters.setdefault(cluster, []).append(task.name)
    kept: list[str] = []

    def leaves_some(name: str) -> bool:
        """Whether each of its clusters still has a task to be trained on without it."""
        return all(
            any(can_be_trained_on(other) and other not in kept for other in clusters[cluster] if other != name)
            for cluster in of_task[name]
        )

    for cluster, names in sorted(clusters.items()):
        order = random.Random(f"{seed}/ladder/tasks/{cluster}").sample(sorted(names), len(names))
        for name in sorted(order, key=can_be_trained_on):
            if sum(other in kept for other in names) >= count:
                break
            if name not in kept and can_be_asked(name) and leaves_some(name):
                kept.append(name)
    return tuple(sorted(kept))


def keep_templates(
    task: Task, trained: Sequence[Template], asked: Sequence[Template], count: int, seed: int
) -> tuple[str, ...]:
    """So many of a task's templates, drawn by seed, of those that would be trained on and are asked; never all of them.

    A template turned around asks for no answer that could be scored, so it is not kept, nor does it count as one left.
    """
    both = [one.id for one in asked if one in trained and not one.turned]
    count = min(count, len(both) - 1)
    if count < 1:
        return ()
    chosen = random.Random(f"{seed}/ladder/templates/{task.name}").sample(both, count)
    return tuple(sorted(chosen, key=both.index))
