"""The command line: each command in few lines, which import what they need when they run."""
