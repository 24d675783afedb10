"""What is handed on: reports as files that need nothing from outside."""
