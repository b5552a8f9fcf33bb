"""What every status is: the string that the API writes, known to this release or not."""

from __future__ import annotations

from cardseal._native import can_become, is_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from typing_extensions import Self


class Status(str):
    """A value of an open set. One that this release does not know is kept as it is."""

    __slots__ = ()

    KNOWN: ClassVar[tuple[str, ...]] = ()
    """The values known to this release."""

    def __new__(cls, value: str) -> Self:
        """Take the string that the API wrote; nothing else becomes one."""
        if not isinstance(value, str):
            raise TypeError(f"a {cls.__name__} is made of a str")
        return super().__new__(cls, value)

    @property
    def is_known(self) -> bool:
        """Whether this release knows the value."""
        return self in self.KNOWN

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str.__repr__(self)})"


class StatusModel(Status):
    """A status that changes along the edges of a model."""

    __slots__ = ()

    _MODEL: ClassVar[str]

    def can_become(self, next: str) -> bool:
        """Whether the model allows the step from this status to ``next``; no step to or from an unknown one is."""
        return can_become(self._MODEL, self, next)

    @property
    def is_terminal(self) -> bool:
        """Whether nothing follows this status; an unknown one may go on."""
        return is_terminal(self._MODEL, self)
