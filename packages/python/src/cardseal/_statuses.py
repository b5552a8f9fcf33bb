"""The status models. Generated from core/data by `cargo xtask codegen`: do not edit."""

from __future__ import annotations

from cardseal._status import Status, StatusModel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar


class OrderStatus(StatusModel):
    """The status of an order, whatever its type.

    A string; a value that this release does not know is kept as it is.

    >>> from cardseal import OrderStatus
    >>> status = OrderStatus("new")
    >>> status.is_terminal, status.can_become("activating"), OrderStatus("completed").is_terminal
    (False, True, True)
    """

    __slots__ = ()

    _MODEL = "OrderStatus"

    NEW: ClassVar[OrderStatus]
    ACTIVATING: ClassVar[OrderStatus]
    PROCESSING: ClassVar[OrderStatus]
    COMPLETED: ClassVar[OrderStatus]
    FAILED: ClassVar[OrderStatus]
    PAID: ClassVar[OrderStatus]


OrderStatus.NEW = OrderStatus("new")
OrderStatus.ACTIVATING = OrderStatus("activating")
OrderStatus.PROCESSING = OrderStatus("processing")
OrderStatus.COMPLETED = OrderStatus("completed")
OrderStatus.FAILED = OrderStatus("failed")
OrderStatus.PAID = OrderStatus("paid")
OrderStatus.KNOWN = (
    "new",
    "activating",
    "processing",
    "completed",
    "failed",
    "paid",
)


class CardIssueStatus(StatusModel):
    """How far the issue of a card has come, from its creation to the first top-up.

    A string; a value that this release does not know is kept as it is.

    >>> from cardseal import CardIssueStatus
    >>> status = CardIssueStatus("card_create_pending")
    >>> status.is_terminal, status.can_become("card_create_done"), CardIssueStatus("initial_topup_skipped").is_terminal
    (False, True, True)
    """

    __slots__ = ()

    _MODEL = "CardIssueStatus"

    CARD_CREATE_PENDING: ClassVar[CardIssueStatus]
    CARD_CREATE_ERROR: ClassVar[CardIssueStatus]
    CARD_CREATE_DONE: ClassVar[CardIssueStatus]
    INITIAL_TOPUP_SKIPPED: ClassVar[CardIssueStatus]
    INITIAL_TOPUP_PENDING: ClassVar[CardIssueStatus]
    INITIAL_TOPUP_ERROR: ClassVar[CardIssueStatus]
    INITIAL_TOPUP_IN_PROGRESS: ClassVar[CardIssueStatus]
    INITIAL_TOPUP_DONE: ClassVar[CardIssueStatus]
    INITIAL_TOPUP_VERIFY_ERROR: ClassVar[CardIssueStatus]
    COMPLETED: ClassVar[CardIssueStatus]


CardIssueStatus.CARD_CREATE_PENDING = CardIssueStatus("card_create_pending")
CardIssueStatus.CARD_CREATE_ERROR = CardIssueStatus("card_create_error")
CardIssueStatus.CARD_CREATE_DONE = CardIssueStatus("card_create_done")
CardIssueStatus.INITIAL_TOPUP_SKIPPED = CardIssueStatus("initial_topup_skipped")
CardIssueStatus.INITIAL_TOPUP_PENDING = CardIssueStatus("initial_topup_pending")
CardIssueStatus.INITIAL_TOPUP_ERROR = CardIssueStatus("initial_topup_error")
CardIssueStatus.INITIAL_TOPUP_IN_PROGRESS = CardIssueStatus("initial_topup_in_progress")
CardIssueStatus.INITIAL_TOPUP_DONE = CardIssueStatus("initial_topup_done")
CardIssueStatus.INITIAL_TOPUP_VERIFY_ERROR = CardIssueStatus("initial_topup_verify_error")
CardIssueStatus.COMPLETED = CardIssueStatus("completed")
CardIssueStatus.KNOWN = (
    "card_create_pending",
    "card_create_error",
    "card_create_done",
    "initial_topup_skipped",
    "initial_topup_pending",
    "initial_topup_error",
    "initial_topup_in_progress",
    "initial_topup_done",
    "initial_topup_verify_error",
    "completed",
)


class CardTopupStatus(StatusModel):
    """How far the top-up of a card has come at the provider.

    A string; a value that this release does not know is kept as it is.

    >>> from cardseal import CardTopupStatus
    >>> status = CardTopupStatus("new")
    >>> status.is_terminal, status.can_become("provider_in_progress"), CardTopupStatus("completed").is_terminal
    (False, True, True)
    """

    __slots__ = ()

    _MODEL = "CardTopupStatus"

    NEW: ClassVar[CardTopupStatus]
    NEW_ERROR: ClassVar[CardTopupStatus]
    PROVIDER_IN_PROGRESS: ClassVar[CardTopupStatus]
    PROVIDER_IN_PROGRESS_ERROR: ClassVar[CardTopupStatus]
    PROVIDER_VERIFICATION: ClassVar[CardTopupStatus]
    PROVIDER_VERIFICATION_ERROR: ClassVar[CardTopupStatus]
    COMPLETED: ClassVar[CardTopupStatus]
    FAILED: ClassVar[CardTopupStatus]


CardTopupStatus.NEW = CardTopupStatus("new")
CardTopupStatus.NEW_ERROR = CardTopupStatus("new_error")
CardTopupStatus.PROVIDER_IN_PROGRESS = CardTopupStatus("provider_in_progress")
CardTopupStatus.PROVIDER_IN_PROGRESS_ERROR = CardTopupStatus("provider_in_progress_error")
CardTopupStatus.PROVIDER_VERIFICATION = CardTopupStatus("provider_verification")
CardTopupStatus.PROVIDER_VERIFICATION_ERROR = CardTopupStatus("provider_verification_error")
CardTopupStatus.COMPLETED = CardTopupStatus("completed")
CardTopupStatus.FAILED = CardTopupStatus("failed")
CardTopupStatus.KNOWN = (
    "new",
    "new_error",
    "provider_in_progress",
    "provider_in_progress_error",
    "provider_verification",
    "provider_verification_error",
    "completed",
    "failed",
)


class CardStatus(Status):
    """The status of a card.

    A string; a value that this release does not know is kept as it is.

    >>> from cardseal import CardStatus
    >>> status = CardStatus("pending_order")
    >>> status == CardStatus.PENDING_ORDER, status.is_known
    (True, True)
    """

    __slots__ = ()

    PENDING_ORDER: ClassVar[CardStatus]
    PAID: ClassVar[CardStatus]
    PENDING_ACTIVATION: ClassVar[CardStatus]
    WAIT_FOR_TOPUP_ACTIVATION_BY_USER: ClassVar[CardStatus]
    ACTIVE: ClassVar[CardStatus]
    FROZEN: ClassVar[CardStatus]
    CLOSED: ClassVar[CardStatus]


CardStatus.PENDING_ORDER = CardStatus("pending_order")
CardStatus.PAID = CardStatus("paid")
CardStatus.PENDING_ACTIVATION = CardStatus("pending_activation")
CardStatus.WAIT_FOR_TOPUP_ACTIVATION_BY_USER = CardStatus("wait_for_topup_activation_by_user")
CardStatus.ACTIVE = CardStatus("active")
CardStatus.FROZEN = CardStatus("frozen")
CardStatus.CLOSED = CardStatus("closed")
CardStatus.KNOWN = (
    "pending_order",
    "paid",
    "pending_activation",
    "wait_for_topup_activation_by_user",
    "active",
    "frozen",
    "closed",
)


class CardholderRegistrationStatus(Status):
    """Whether a cardholder is registered with the provider.

    A string; a value that this release does not know is kept as it is.

    >>> from cardseal import CardholderRegistrationStatus
    >>> status = CardholderRegistrationStatus("pending")
    >>> status == CardholderRegistrationStatus.PENDING, status.is_known
    (True, True)
    """

    __slots__ = ()

    PENDING: ClassVar[CardholderRegistrationStatus]
    ACTIVE: ClassVar[CardholderRegistrationStatus]
    SUSPENDED: ClassVar[CardholderRegistrationStatus]
    FAILED: ClassVar[CardholderRegistrationStatus]


CardholderRegistrationStatus.PENDING = CardholderRegistrationStatus("pending")
CardholderRegistrationStatus.ACTIVE = CardholderRegistrationStatus("active")
CardholderRegistrationStatus.SUSPENDED = CardholderRegistrationStatus("suspended")
CardholderRegistrationStatus.FAILED = CardholderRegistrationStatus("failed")
CardholderRegistrationStatus.KNOWN = (
    "pending",
    "active",
    "suspended",
    "failed",
)


class CardholderKycStatus(Status):
    """Where the identity check of a cardholder stands.

    A string; a value that this release does not know is kept as it is.

    >>> from cardseal import CardholderKycStatus
    >>> status = CardholderKycStatus("not_started")
    >>> status == CardholderKycStatus.NOT_STARTED, status.is_known
    (True, True)
    """

    __slots__ = ()

    NOT_STARTED: ClassVar[CardholderKycStatus]
    PENDING: ClassVar[CardholderKycStatus]
    APPROVED: ClassVar[CardholderKycStatus]
    REJECTED: ClassVar[CardholderKycStatus]
    EXPIRED: ClassVar[CardholderKycStatus]


CardholderKycStatus.NOT_STARTED = CardholderKycStatus("not_started")
CardholderKycStatus.PENDING = CardholderKycStatus("pending")
CardholderKycStatus.APPROVED = CardholderKycStatus("approved")
CardholderKycStatus.REJECTED = CardholderKycStatus("rejected")
CardholderKycStatus.EXPIRED = CardholderKycStatus("expired")
CardholderKycStatus.KNOWN = (
    "not_started",
    "pending",
    "approved",
    "rejected",
    "expired",
)


class CardholderKycLevel(Status):
    """How thorough the identity check of a cardholder was.

    A string; a value that this release does not know is kept as it is.

    >>> from cardseal import CardholderKycLevel
    >>> status = CardholderKycLevel("none")
    >>> status == CardholderKycLevel.NONE, status.is_known
    (True, True)
    """

    __slots__ = ()

    NONE: ClassVar[CardholderKycLevel]
    BASIC: ClassVar[CardholderKycLevel]
    ADVANCED: ClassVar[CardholderKycLevel]
    FULL: ClassVar[CardholderKycLevel]


CardholderKycLevel.NONE = CardholderKycLevel("none")
CardholderKycLevel.BASIC = CardholderKycLevel("basic")
CardholderKycLevel.ADVANCED = CardholderKycLevel("advanced")
CardholderKycLevel.FULL = CardholderKycLevel("full")
CardholderKycLevel.KNOWN = (
    "none",
    "basic",
    "advanced",
    "full",
)
