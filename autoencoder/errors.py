"""Errors that are no bugs: a user's mistake, or a file that is damaged."""


class ForeseenError(ValueError):
    """Bad input; the message says what is wrong, where, and how to mend it.

    It ends a command with that message alone. Any other ValueError is a bug, and keeps its traceback.
    """


class UnusableFileError(ForeseenError):
    """A file that an earlier step has written is missing, damaged or of another kind; the caller knows how to make it."""
