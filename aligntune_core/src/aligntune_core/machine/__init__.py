"""What this machine has: devices, disk, and how its libraries are imported."""
