"""docs/study.md: every key of a study, read off its settings, and what its files hold.

python -m tutelage.studies.reference > docs/study.md
"""

from __future__ import annotations

import sys

from tutelage.run.recipe import settings_keys
from tutelage.run.reference import page_of
from tutelage.studies.settings import HoldOut

HEAD = """# Every key of a study

A study is an experiment made of many runs. `kind=holdout` asks what FLAN asked (Wei et al. 2021): does a model that
was tuned to follow instructions follow them on kinds of tasks that it was never trained on?

```
tutelage study kind=holdout model=runs/base tasks=starter hold_out=all seeds=3 output=runs/holdout
tutelage study recipes/holdout.yaml model=Qwen/Qwen3-0.6B-Base data_root=FOLDER hold_out=inference,sentiment
```

For every held-out cluster, and every seed, one model is tuned on all other clusters, less those related to it, and
asked about the held-out one zero-shot. The untuned model is asked the same items, once for all: under its plain
prompts, which it continues as text, under the instructions, and, with `shots=N`, after N solved examples.

**The ladder** asks how far the following reaches. In each cluster that is trained on `ladder.tasks` tasks are kept
from training, and of every task that is trained on `ladder.templates` wordings; which ones is drawn by seed, and
written down. Never so many that a cluster would be left without a task, or a task without a wording, to be trained on.

| rung | what is asked of the tuned model, and of the untuned one beside it |
| --- | --- |
| new items | test rows of tasks it was trained on, in wordings it was trained on |
| new wordings | the same tasks, in the wordings kept from training |
| new tasks | the tasks kept from training, of clusters it was trained on |
| new cluster | the held-out cluster: nothing of it, nor related to it, was trained on |

- **Required** are `kind`, `model`, `tasks` and `output`.
- **Every run** is one of `tutelage tune` or `tutelage evaluate`, in a folder of its own below `output/runs/`. Any key
  of theirs that the study does not settle itself is given as `tune.KEY` or `evaluate.KEY`: `tune.train.max_steps=500`,
  `tune.adapter.kind=lora`, `tune.data.mixture.mixing=equal` (recipe.md), `evaluate.score.normalize=characters`
  (evaluate.md). No template is chosen on dev items unless `evaluate.dev` says how many.
- **Again and again:** Ctrl-C, or a crash, keeps what is done; `resume=true` goes on in the middle of the run at hand
  and ends with the same figures. A run that fails stops no other: the report says which, and why; `resume=true` tries
  it again. Rows or templates that change in the middle are noticed, and nothing is compared.
- **Held out** means held out: no run trains on a task of the cluster, of a related one, or on what is kept back, which
  is looked up once more in what each run says it trained on. A `model` whose own run was trained on a held-out task is
  refused. Rows that are in two tasks are not looked for unless `tune.data.mixture.decontaminate=held-out` says so.
- **Values, paths and lists** are written as for `tutelage tune` (recipe.md).

This page is generated from the settings: `python -m tutelage.studies.reference > docs/study.md`.
"""
TAIL = """
## What comes out

- `report.html`: the answers, plots, tables, and every run with its cost and a link. `plots/`: the same plots as SVG
  and PNG. `table.csv`, `table.md`, `table.tex` (booktabs): the table of clusters.
- `study.json`: every figure, in shares of the best score.
  - `clusters.NAME`: `tuned`, `base.plain`, `base.instructions` and `base.exemplars` with `mean`, `low` and `high`;
    `differences`, of the tuned model above each of them; `best_base`, the untuned model's best prompt; `items`;
    `chance`, what blind guessing scores, free text counting as 0; the mean of each seed; `tasks`, the same task by
    task.
  - `mean`: over the held-out clusters; `best` is each cluster's best untuned prompt. `up`: how many clusters are above
    it.
  - `ladder`: the rungs, over all tuned models. `models`: each model's means on each rung, and the tasks and wordings
    that it was really trained on, as its run says. `kept_back`: what each seed kept from training.
  - `runs`, `total`: what each run cost in steps, tokens and answers. `failed`: what did not finish, and why.
- `steps.json`: what became of each run, and the seconds that it took. `recipe.yaml`: every setting.

## How sure the figures are

An item's mean over its wordings comes first, so that ten answers to one question are no ten observations. A task's
interval is over items: Wilson's on the effective number of answers for right and wrong, the bootstrap else; for a
difference the paired bootstrap over the items that both models answered. Tasks are put together into clusters, and
clusters into the mean, as independent (Zou and Donner 2008), each counting alike; a task of two clusters counts in both
and is evidence once. Which tasks and clusters there are is taken as given.

With two seeds or more the interval covers what training leaves to luck: the items' interval and Student's interval
over the seeds' own means are put together as squares. In simulations with right or wrong answers, 60 to 200 items, 3
to 10 seeds and more or less luck, it held the truth in 96 to 98 % of the cases, the items' interval alone in 70 to 96
%. Two seeds give very wide intervals, for two say little; three are the least that make sense. With one seed the
interval is over items alone, and says so.

The better untuned prompt, exemplars included, is chosen in each cluster on the items that are scored, which favours the
untuned model; the interval takes the choice as given. Each cluster is called up for sure by itself: of forty in which
nothing changed, one would be.
"""


def page() -> str:
    """The whole page."""
    others = ("tune.", "evaluate.")  # whose own pages they are on
    keys = {name: key for name, key in settings_keys(HoldOut).items() if not name.startswith(others)}
    return page_of(keys, HEAD, TAIL)


if __name__ == "__main__":
    sys.stdout.write(page())
