"""HTTP in: acts and questions about cases, tasks, causes, playbooks and thresholds; cases of foreign logs."""

from services.exceptions.api import acts, imports, questions, rules

routers = (acts.router, imports.router, questions.router, rules.router)

__all__ = ["routers"]
