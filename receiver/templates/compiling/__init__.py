"""Compiles one template: from Jinja2's tree to a tree in which every printed value is escaped for its place."""
