"""The policies that the API server evaluates itself, generated from the models and the table of kinds."""
