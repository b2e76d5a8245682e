"""How a command ends when it cannot do what was asked: one sentence and an exit code."""

from __future__ import annotations

from cli.exit_codes import ExitCode


class CommandFailed(Exception):
    """A command cannot go on; the message is the sentence that says what to do."""

    def __init__(self, sentence: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(sentence)
        self.code = code


class Unreachable(CommandFailed):
    """The stack or a service does not answer."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, ExitCode.UNREACHABLE)


class NotFound(CommandFailed):
    """What was named does not exist."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, ExitCode.NOT_FOUND)


class Refused(CommandFailed):
    """The service understood and refused."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, ExitCode.REFUSED)


class NotAllowed(CommandFailed):
    """No login, or not for this role or scope."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, ExitCode.NOT_ALLOWED)


class Interrupted(CommandFailed):
    """Ctrl-C, with what became of what was begun."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, ExitCode.INTERRUPTED)
