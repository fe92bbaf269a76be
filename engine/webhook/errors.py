"""What can go wrong with webhooks; every message is Chinese and says what to do. The store raises `LedgerError`.

WebhookError
├── SubscriptionError   the configuration cannot be used
└── SignatureError      a request that was received is not to be believed
"""

from __future__ import annotations

__all__ = ["SignatureError", "SubscriptionError", "WebhookError"]


class WebhookError(Exception):
    """Something about webhooks that a person has to know."""


class SubscriptionError(WebhookError):
    """The subscriptions cannot be used as they are configured."""


class SignatureError(WebhookError):
    """A request that does not come from the sender, was changed on its way, or is too old."""
