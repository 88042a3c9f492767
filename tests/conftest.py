"""No test asks a hub, which is refused at once and not after the network's own time, nor this user's environments."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["ALIGNTUNE_ENVIRONMENTS"] = os.devnull
