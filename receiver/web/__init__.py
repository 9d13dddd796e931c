"""The HTTP surface: one URL table, thin handlers, middleware."""
