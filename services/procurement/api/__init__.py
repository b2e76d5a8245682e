"""HTTP in: acts and questions about suppliers, terms, purchase orders and sourcing rounds."""

from services.procurement.api import orders, sourcing, suppliers

routers = (suppliers.router, orders.router, sourcing.router)

__all__ = ["routers"]
