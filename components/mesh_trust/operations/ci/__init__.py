"""What a pipeline asks: which environments a change is about, and one comment that says so."""
