"""The pages are right: their commands, links and configurations."""
