"""The steps of a plan, one after another: none twice, none without what it needs, and a failed one stops no other."""

from __future__ import annotations

import shutil
import time
import traceback
from collections.abc import Mapping

from tutelage.errors import UserError
from tutelage.run.events import Stopped
from tutelage.studies.directory import FAILED, FINISHED, INTERRUPTED, LEFT_OUT, Outcome, StudyDirectory
from tutelage.studies.steps import Announce, Plan, Step, StepBegan, StepEnded


def run_steps(
    plan: Plan, directory: StudyDirectory, announce: Announce, keep_models: bool = True
) -> dict[str, Outcome]:
    """Runs what has not finished yet, and returns what became of every step, which steps.json holds at any moment.

    keep_models: else a tuned model is deleted once all steps that need it have finished.

    Raises:
        Stopped, KeyboardInterrupt: someone asked for it; what is done is kept, and the same call goes on.
    """
    known = directory.outcomes()
    outcomes: dict[str, Outcome] = {}
    for number, step in enumerate(plan.steps, start=1):
        before = known.get(step.name, Outcome("new"))
        if before.status == FINISHED:
            outcomes[step.name] = before
            continue
        lacking = [name for name in step.needs if outcomes[name].status != FINISHED]
        if lacking:
            outcomes[step.name] = Outcome(LEFT_OUT, sentence=f"{lacking[0]} has not finished")
        else:
            announce(StepBegan(number, len(plan.steps), step, again=step.folder.exists()))
            outcomes[step.name] = _outcome(step, announce, before.seconds, known | outcomes, directory)
        directory.write_outcomes(known | outcomes)
        ended = outcomes[step.name]
        announce(StepEnded(number, len(plan.steps), step, ended.status, ended.seconds, ended.sentence))
        if not keep_models:
            _drop_models(plan, outcomes)
    if not keep_models:  # what finished in a session that was killed before it dropped this
        _drop_models(plan, outcomes)
    return outcomes


def exit_code(outcomes: Mapping[str, Outcome]) -> int:
    """0 where every step finished, 1 where a fault of ours stopped one, else 2."""
    failed = [one for one in outcomes.values() if one.status == FAILED]
    return 0 if not failed else 1 if any(one.fault for one in failed) else 2


def _outcome(
    step: Step, announce: Announce, spent: float, known: dict[str, Outcome], directory: StudyDirectory
) -> Outcome:
    began = time.monotonic()

    def seconds() -> float:
        return round(spent + time.monotonic() - began, 3)

    try:
        step.run(announce)
    except (Stopped, KeyboardInterrupt):
        directory.write_outcomes(known | {step.name: Outcome(INTERRUPTED, seconds())})
        raise
    except UserError as error:
        return Outcome(FAILED, seconds(), str(error))
    except Exception as error:
        first = (str(error).strip().splitlines() or [""])[0][:200]
        return Outcome(FAILED, seconds(), f"{type(error).__name__}: {first}", traceback.format_exc())
    return Outcome(FINISHED, seconds())


def _drop_models(plan: Plan, outcomes: Mapping[str, Outcome]) -> None:
    for step in plan.steps:
        users = plan.users_of(step.name)
        if users and all(outcomes.get(user.name, Outcome("new")).status == FINISHED for user in users):
            for name in ("model", "checkpoints"):
                shutil.rmtree(step.folder / name, ignore_errors=True)
