"""Every limit of a request, each with its reason.

docs/http.md and docs/hardening.md show them.

These are the ones nobody should need to change. What a process bounds for itself (sizes of parts, minimum
confidence) stands in its process.toml; what the administrator bounds (body, free space) in the settings; what
metadata may be in metadata/fields.py, schemas/json_text.py and schemas/xml_text.py; what a template may cost in
formats/budget.py.
"""

# the head of a request
MAX_URL = 2_048  # bytes of the request line: our longest URL has 270
MAX_HEADERS = 64  # header lines: clients send 10, a chain of proxies adds as many
MAX_HEADER_SIZE = 8_190  # bytes of one header line: as other servers have it
MAX_HEAD = 65_536  # bytes of all header lines: they are held in memory while they arrive

# the body
MAX_PARTS = 1_000  # sections of one body: a fax of several hundred pages, each page its own section, still fits
MAX_SURPLUS = 32  # sections of unknown names, or again of one that may come once: each is kept, and waits for the disk
MAX_PART_HEADERS = 16  # header lines of one section: RFC 7578 §4.8 knows three, proxies and gateways add a few
MAX_PART_HEADER_SIZE = 16 * 1024  # bytes of one header line of a section: a file name of 4,000 characters, encoded
MAX_PREAMBLE = 1_024  # bytes before the first boundary: RFC 2046 §5.1.1 has them ignored, and no form sends any
MAX_BOUNDARY = 70  # characters of the boundary: RFC 2046 §5.1.1
MAX_PART_NAME = 200  # characters of a section's name: a customer chooses it in a form field

# the records of one delivery
MAX_RECORDS = 10_000  # more is a data set, not a document: each is a file, a line of the receipt and an fsync
MAX_RECORDS_SIZE = 100_000_000  # bytes of those that `each` makes: they are held in memory until they are staged
MAX_RECORDS_SECONDS = 10  # seconds of processor time for those that `each` makes: 10,000 of them take about one

# of a date: nobody who was born before lives, and empty dates (.NET: 1, SQL Server: 1753) are earlier
FIRST_YEAR = 1850

# time: all of it waiting for the sender, never our own work
HEAD_SECONDS = 10  # seconds for the headers of a request: one packet, on a line that loses three in a row
BODY_SECONDS = 15  # seconds of waiting granted to any body: a short one, on a line that loses a few packets
BODY_RATE = 2_000  # bytes of a body for each second of waiting: a fax line is as fast
STALL_SECONDS = 30  # seconds without a single byte of a body: five repetitions of a lost packet
ANSWER_SECONDS = 30  # seconds to take in an answer, one more for each 2,000 bytes: a line as slow as a body may be
LINGER_SECONDS = 2  # seconds without a byte before a connection is closed after its last answer: RFC 9112 §9.6
MAX_LINGER_SECONDS = 30  # seconds in which the body of a refused request is read and thrown away: it may be on its way

# what no sender sees
AT_WORK = 16  # requests that one worker works on at once: fsyncs of 16 threads overlap 3–4 times; 4 are slower by 13 %
PAGES = 4  # threads of one worker for health, metrics and all else that is no delivery: it never waits for those
READING = 128  # threads of one worker that wait for the rest of a body: as many are left for what has arrived
AHEAD = 256 * 1024  # bytes of a body awaited without a thread: most deliveries; a stage holds as much in memory
AHEAD_OF_ALL = 128 * 1024 * 1024  # bytes of all bodies so awaited by one worker: 500 of the largest, 4,000 of 32 KB
READ_SIZE = 1024 * 1024  # bytes asked of the server at once: smaller reads were measured 6–13 times slower
CONNECTIONS = 4_000  # connections of one worker: each takes 12 KB and what has arrived; the slowest makes room
OPEN_FILES = 16_384  # open files of one worker: 4,000 connections, and 20 for each of 256 deliveries
LOOK_SECONDS = 1  # seconds between two looks, while a body is awaited, whether the service is told to stop
LAST_SECONDS = 3  # seconds of the time that a stop leaves, kept to judge and answer what is whole by then
LEAVING = 64 * 1024 * 1024  # bytes of answers of one worker that are not taken in yet: a thousand pages of metrics
MOMENT = 0.02  # seconds in which a thread awaits a body itself: the sender sends it right behind the head
GIVEN_UP = 4  # senders of each kind given up at once, ten times a second: a thousand wait longer, and hold nobody up
