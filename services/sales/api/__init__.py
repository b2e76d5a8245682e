"""HTTP in: what may be done and asked in sales."""

from services.sales.api import notices, orders

routers = [orders.router, notices.router]

__all__ = ["routers"]
