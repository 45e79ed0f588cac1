"""What is looked at before `pulumi up`; nothing is written."""
