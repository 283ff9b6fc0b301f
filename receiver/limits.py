"""Every limit that bounds a request, in one place, each with its reason.

What a process may bound for itself (sizes of parts, minimum confidence) stands in its process.toml; what the
administrator bounds (body, free space) stands in the settings. These are the ones nobody should need to change.
"""

# the head of a request
MAX_URL = 2_048  # bytes of the request line: our longest URL has 270
MAX_HEADERS = 64  # header lines: clients send 10, a chain of proxies adds as many
MAX_HEADER_SIZE = 8_190  # bytes of one header line: as other servers have it
MAX_HEAD = 65_536  # bytes of all of them: it is held in memory while it arrives

# the body
MAX_PARTS = 1000  # sections of one body: a fax of several hundred pages, each page its own section, still fits
MAX_SURPLUS = 32  # sections of a name that may come once, or of unknown names: each is kept, and waits for the disk
MAX_PART_HEADERS = 16  # header lines of one section: RFC 7578 §4.8 knows three, proxies and gateways add a few
MAX_PART_HEADER_SIZE = 16 * 1024  # bytes of one header line: a file name of 4,000 characters, percent-encoded
MAX_BOUNDARY = 70  # characters: RFC 2046 §5.1.1
MAX_PART_NAME = 200  # characters: names are chosen by a customer in a form field; beyond that it is an attack
READ_SIZE = 1024 * 1024  # bytes asked of the server at once: smaller reads were measured 6–13 times slower

# work
AT_WORK = (
    16  # requests that one worker process works on at once: fsyncs of 16 threads overlap 3–4 times, more only queue
)

# time: all of it waiting for the sender, never our own work
HEAD_SECONDS = 10  # for the head of a request: one packet, on a line that loses three in a row
BODY_SECONDS = 15  # granted to any body, beyond what its size takes at the slowest rate
BODY_RATE = 2_000  # bytes a second: a fax line is as fast; below that a connection is given up
STALL_SECONDS = 30  # without a single byte: five repetitions of a lost packet
ANSWER_SECONDS = 30  # for the sender to take in a piece of the answer
LINGER_SECONDS = 2  # without a byte, until a connection is closed after the last answer (RFC 9112 §9.6)
MAX_LINGER_SECONDS = 30  # in all, for a sender who still sends the body of a request that was refused
