"""Takes in document deliveries and writes the records that a next system imports."""
