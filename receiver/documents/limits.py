"""How much of a document is looked into."""

MAX_PAGES = 10_000  # pages of one document: a fax machine is busy with them for a week
MAX_PIXELS = 400_000_000  # pixels of one page: A0 at 400 dpi has 250 million
