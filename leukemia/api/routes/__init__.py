"""What is asked at which address."""
