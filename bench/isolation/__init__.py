"""A quiet tenant beside a hostile one: how much longer its Pods are missed."""
