"""How the service stands: whether it can take deliveries, and what waits in each process."""
