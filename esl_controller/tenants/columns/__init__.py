"""Every column a tenant can set: its rule, its default, what it means, and what a mistake costs."""
