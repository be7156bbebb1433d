"""Measurements of the gateway beside others, in one run: see README.md here. Not part of the product."""
