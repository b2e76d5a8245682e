"""Events in: forecast hears none yet; demand history will come from orders."""

from __future__ import annotations

from chassis.messaging.reactions import Reactions

reactions = Reactions()
