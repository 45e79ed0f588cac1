"""What an update would do, as who has to agree to it reads it."""
