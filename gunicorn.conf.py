from receiver.serving import *  # noqa: F403
