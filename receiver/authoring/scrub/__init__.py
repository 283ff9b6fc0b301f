"""Replaces what a delivery tells of people, so that it may be kept as a sample: the same shapes, other values.

Every value of the metadata becomes an invented one, the same one wherever it stands; every document a blank page;
names of files and parts that the sender chose are invented too. What is left is what the configuration itself
knows: names of fields, confidences, keys of code tables, and values that no other may stand for, such as those of
an `enum`. A scrubbed delivery is judged as the original one was and takes the same way through the templates, which
is tried out and not assumed.
"""

from receiver.authoring.scrub.refining import CannotScrub
from receiver.authoring.scrub.scrub import Scrubbed, scrub

__all__ = ["CannotScrub", "Scrubbed", "scrub"]
