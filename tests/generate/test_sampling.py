"""The choice of a token against worked numbers, against transformers' own cuts, and against the distribution itself."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import RepetitionPenaltyLogitsProcessor, TopKLogitsWarper, TopPLogitsWarper

from tutelage.errors import UserError
from tutelage.generate.sampling import Sampler, draw, keep_top_k, keep_top_p, penalise
from tutelage.generate.settings import SamplingSettings, sampling

FOUR = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()


def kept(logits: torch.Tensor) -> list[int]:
    return logits[0].isfinite().nonzero().flatten().tolist()


def test_worked_numbers() -> None:
    assert kept(keep_top_k(FOUR, 2)) == [0, 1]
    assert kept(keep_top_p(FOUR, 0.7)) == [0, 1]
    assert kept(keep_top_p(FOUR, 0.4)) == [0]
    assert penalise(torch.tensor([[2.0, -1.0, 3.0]]), torch.tensor([[True, True, False]]), 2.0).tolist() == [[1, -2, 3]]
    three = torch.tensor([[0.5, 0.25, 0.25]]).log()
    drawn = [int(draw(three, torch.tensor([uniform]))) for uniform in (0.49, 0.5, 0.74, 0.75)]
    assert drawn == [0, 1, 1, 2]


@given(seed=st.integers(0, 10_000), k=st.integers(1, 40), p=st.floats(0.05, 0.99), penalty=st.floats(0.5, 2))
@settings(max_examples=60, deadline=None)
def test_cuts_are_those_of_transformers(seed: int, k: int, p: float, penalty: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn((3, 40), generator=generator) * 3
    ids = torch.randint(0, 40, (3, 10), generator=generator)
    seen = torch.zeros((3, 40), dtype=torch.bool).scatter(1, ids, True)
    assert torch.equal(keep_top_k(logits, k), TopKLogitsWarper(k)(ids, logits))
    assert torch.equal(penalise(logits, seen, penalty), RepetitionPenaltyLogitsProcessor(penalty)(ids, logits))
    ours, theirs = keep_top_p(logits, p).isfinite(), TopPLogitsWarper(p)(ids, logits).isfinite()
    # The edge itself may fall either way in float32.
    assert int((ours != theirs).sum()) <= 1


def test_a_cut_token_is_never_drawn() -> None:
    logits = torch.tensor([[-torch.inf, 0.0, -torch.inf, 0.0, -torch.inf]])
    drawn = {int(draw(logits, torch.tensor([number / 2**24]))) for number in (0, 1, 2**23 - 1, 2**23, 2**24 - 1)}
    assert drawn == {1, 3}


def test_draws_follow_the_distribution() -> None:
    sampler = Sampler(SamplingSettings(temperature=1, seed=3), [[1]], [0])
    drawn = torch.cat([sampler(FOUR, [0]) for _ in range(4000)]).bincount(minlength=4) / 4000
    # Four standard deviations of the largest share.
    assert (drawn - FOUR[0].exp()).abs().max() < 4 * (0.25 / 4000) ** 0.5


def test_temperature_sharpens_and_zero_is_greedy() -> None:
    cold = Sampler(SamplingSettings(temperature=0.01, seed=3), [[1]], [0])
    assert {int(cold(FOUR, [0])) for _ in range(50)} == {0}
    assert int(Sampler(SamplingSettings(), [[1]], [0])(FOUR, [0])) == 0


def test_draws_depend_on_the_rows_number_and_not_on_the_batch() -> None:
    chosen = SamplingSettings(temperature=1, seed=5)
    logits = torch.zeros((2, 1000))
    together = Sampler(chosen, [[1], [2]], [7, 8])(logits, [0, 1]).tolist()
    alone = [int(Sampler(chosen, [[1]], [number])(logits[:1], [0])) for number in (7, 8)]
    assert together == alone
    assert together[0] != together[1]


def test_without_a_seed_draws_differ() -> None:
    logits = torch.zeros((1, 100_000))
    assert len({int(Sampler(SamplingSettings(temperature=1), [[1]], [0])(logits, [0])) for _ in range(5)}) > 1


def test_a_token_that_was_there_is_penalised() -> None:
    sampler = Sampler(SamplingSettings(repetition_penalty=10), [[0]], [0])
    logits = torch.tensor([[2.0, 1.9, 1.8]])
    assert [int(sampler(logits, [0])) for _ in range(3)] == [1, 2, 0]


@pytest.mark.parametrize("bad", [{"temperature": -1}, {"top_p": 0}, {"max_tokens": 0}, {"top_q": 1}])
def test_settings_refuse_nonsense(bad: dict[str, float]) -> None:
    (name, value) = next(iter(bad.items()))
    with pytest.raises(UserError, match=f"^{name}={value} cannot be: [a-z]"):
        sampling(**bad)


def test_the_sentence_for_a_value_out_of_range() -> None:
    with pytest.raises(UserError, match=r"^top_p=2\.0 cannot be: input should be less than or equal to 1$"):
        sampling(top_p=2.0)
