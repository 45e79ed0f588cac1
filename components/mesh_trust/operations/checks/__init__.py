"""The checks: each module looks at one thing and gives what it has found."""
