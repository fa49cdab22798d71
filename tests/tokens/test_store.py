from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tutelage.records import Leaf
from tutelage.tokens.forest import build_forest
from tutelage.tokens.store import StoreBuilder

EXAMPLES = st.lists(
    st.lists(
        st.lists(st.integers(0, 2**31 - 1), min_size=2, max_size=6).flatmap(
            lambda ids: st.integers(1, len(ids) - 1).map(lambda start: Leaf(np.array(ids, np.int32), start))
        ),
        min_size=1,
        max_size=3,
    ),
    max_size=6,
)


@given(EXAMPLES)
def test_what_goes_in_comes_out(examples: list[list[Leaf]]) -> None:
    builder = StoreBuilder()
    for leaves in examples:
        builder.add(leaves)
    store = builder.finish()
    assert len(store) == len(examples)
    for number, leaves in enumerate(examples):
        found = [(leaf.ids.tolist(), leaf.start) for leaf in store.leaves(number)]
        assert found == [(leaf.ids.tolist(), leaf.start) for leaf in leaves]
        assert store.tokens()[number] == len(build_forest(leaves).token)
        assert store.supervised()[number] == sum(len(leaf.ids) - leaf.start for leaf in leaves)


def test_a_selection_keeps_its_order() -> None:
    builder = StoreBuilder()
    for number in range(5):
        builder.add([Leaf(np.array([number, number + 1], np.int32), 1)])
    chosen = builder.finish().select(np.array([3, 0]))
    assert [chosen.leaves(number)[0].ids.tolist() for number in range(2)] == [[3, 4], [0, 1]]
