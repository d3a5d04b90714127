"""A tenant's own systems in software: tickets, customers, agenda, as docs/contracts has them."""
