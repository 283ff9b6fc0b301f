"""The Flask blueprints of deliveries and health pages, answers, and the console."""
