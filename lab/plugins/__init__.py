"""The lab's own engine plugins, for where the official ones cannot be had."""
