"""What a command costs the sidecar, counted instead of timed: instructions, heap allocations, references."""
