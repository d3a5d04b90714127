"""Where a call goes: tenant, hours, budget, room."""
