"""HTTP in: acts and questions about cases, tasks, causes, playbooks and thresholds."""

from services.exceptions.api import acts, questions, rules

routers = (acts.router, questions.router, rules.router)

__all__ = ["routers"]
