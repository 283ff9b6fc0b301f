from receiver.server.configuration import *  # noqa: F403
