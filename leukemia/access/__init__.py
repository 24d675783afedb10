"""Who may do what: users, their roles, the one table of permissions, and who acts now."""
