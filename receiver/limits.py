"""Every limit that bounds a request, in one place, each with its reason.

What a process may bound for itself (sizes of parts, minimum confidence) stands in its process.toml; what the
administrator bounds (body, free space) stands in the settings. These are the ones nobody should need to change.
"""

MAX_PARTS = 1000  # sections of one body: a fax of several hundred pages, each page its own section, still fits
MAX_PART_HEADERS = 16  # header lines of one section: RFC 7578 §4.8 knows three, proxies and gateways add a few
MAX_PART_HEADER_SIZE = 16 * 1024  # bytes of one header line: a file name of 4,000 characters, percent-encoded
MAX_BOUNDARY = 70  # characters: RFC 2046 §5.1.1
MAX_PART_NAME = 200  # characters: names are chosen by a customer in a form field; beyond that it is an attack
READ_SIZE = 1024 * 1024  # bytes asked of the server at once: smaller reads were measured 6–13 times slower
