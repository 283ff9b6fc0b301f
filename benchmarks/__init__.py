"""How fast the service is, beside others that do the same durable work on the same machine; README.md tells how."""
