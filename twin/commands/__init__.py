"""What the verbs of the command line do."""


class Unanswered(Exception):
    """No answer, through no fault of the input; the message says what to do."""
