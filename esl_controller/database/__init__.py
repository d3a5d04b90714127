"""PostgreSQL: connections, rows, every statement, migrations."""
