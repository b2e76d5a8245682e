"""Events in: collaboration hears none yet; meetings and actions will."""

from __future__ import annotations

from chassis.messaging.reactions import Reactions

reactions = Reactions()
