"""The one error that is not our fault.

Whatever the person who runs Tutelage can mend (a wrong key, a missing file, a template that refuses a conversation) is
raised as `UserError` with one sentence: what is wrong, where, and what to do. The command line prints that sentence and
exits with code 2. Every other exception is a fault of ours and exits with code 1.
"""


class UserError(Exception):
    """A mistake in the recipe, the data or the model folder: one sentence says what, where, and what to do."""
