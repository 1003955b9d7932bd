"""The rules that an object keeps beyond its schema: whatever breaks one is a problem with its field."""
