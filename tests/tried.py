"""What `schemathesis run` needs to know of texts that have a form of their own."""

import base64

import schemathesis
from hypothesis import strategies as st


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(b"%d" % position).decode().rstrip("=")


schemathesis.openapi.format("cursor", st.just("") | st.integers(1, 10**9).map(_cursor))
