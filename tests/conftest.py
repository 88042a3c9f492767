"""No test asks a hub: what is not here is refused at once, and not after the network's own time."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
