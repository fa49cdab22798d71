"""A small world with ground truth, in simple English and its Chinese mirror: what is so, what follows, and text about
it.

How it fits, from the ground up:

- `tables/`: all words and wordings, as data; `tables.py` reads them.
- `lexicon.py` turns the words (people, things, animals, places, jobs, food, feelings, towns…) into `wording.Word`s,
  which know their forms in both languages; `numerals.py` says numbers, `groups.py` names sets of words.
- `parts.py`: what belongs to pretraining, tuning and test. Single words never do; *combinations* do: which name may
  meet which thing, which schema, conclusion or person may be asked about.
- `relations.py`: kinds of fact (`has`, `went`, `made_of`…) with eight and more wordings in English, five and more in
  Chinese, for telling, denying and asking each role; a `Fact` puts words into the roles.
- What is true: `knowledge.py` (kinds of things, and what follows from two such facts), `people.py` (420 people and 64
  towns with particular facts, for closed-book questions), `schemas.py` (causes and effects, events and feelings, whom a
  pronoun means), `reviews.py` (praise and blame).
- `scene.py`: a `Scene` is a structure of facts, told and implied, that can be rendered (`text`), asked (`questions`),
  judged (`true_claims`, `false_claims`, `open_claims`), summed up and altered, each with an exact label. `claims.py`
  has what it gives (a telling, a question, a claim), `contrast.py` what could stand beside it and be wrong. `states.py`
  and `stories.py` build twenty kinds of scene; `builders.build` draws one.
- `documents/`: sixty kinds of document written about all this, and `mixture.py`: the one table of their weights, early
  and late in pretraining, and `documents(seed)`, the endless stream of text. `records.py` and `phrases.py` serve them.
- `probes.py`: held-out items for a base model, without any instruction: copying, cloze reading, recall, what follows.

To read some: `python -m tutelage.starter.microworld`. To make items for a task: `builders.scene(kind, seed,
part="test")`, then its questions or claims; every label comes from the structure, none from the text. Whatever is
asked of part "test" stands in no text of part "pretrain" in that combination: names meet other things, schemas are
told but never asked about, people's facts are told but nobody asks for them.
"""

from __future__ import annotations
