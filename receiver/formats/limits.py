"""What one rendering may cost. Each number has its reason beside it."""

MAX_SECONDS = 2.0  # seconds of one rendering: a record of 200 fields takes about a millisecond
MAX_STEPS = 1_000_000  # turns of loops and calls: a thousand times what the longest record needs
MAX_TEXT = 100_000_000  # characters that one rendering may put together: a document of MAX_DOCUMENT and its record
MAX_DOCUMENT = 32_000_000  # bytes of a document embedded by `base64`: HL7 v2 interfaces refuse far less
MAX_SLOW_TEXT = 1_000_000  # characters given to slow filters: they take a microsecond for each
MAX_RANGE = 100_000  # numbers of one `range`: more than a document has fields
MAX_ITEMS = 1_000_000  # items of one list put together: 8 MB of references
MAX_WIDTH = 10_000  # characters of padding, indentation or a fixed column: the widest records are a tenth of it
MAX_BITS = 1_024  # bits of a whole number: 308 digits; every identifier and amount has fewer than 40
MAX_DIGITS = 30  # decimal places of `round`: no float has more
MAX_FILE = 1_000_000  # bytes of a template or code table: larger ones are data, not configuration
MAX_INCLUDES = 100  # files and macros unfolded into one template: their doubling would fill the memory
MAX_NODES = 200_000  # nodes visited to compile one template: it would take seconds
