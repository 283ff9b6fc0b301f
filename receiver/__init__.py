"""Takes in document deliveries and writes the records that the next system imports."""
