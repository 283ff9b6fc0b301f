"""Tells people that something goes wrong with a process, once when it begins, and once when it is well again.

    look (looking.py): how does each process stand? (conditions.py)   what was told of it? (told.py)
                        what is different is a notice (notices.py), sent (sending.py) and then noted as told

One worker of the host looks at a time. What was told is a file, so that neither another worker nor a restart tells
it again. A notice that could not be sent is not noted, and is tried again. No field's value is in any of it.
"""
