"""What `schemathesis run` needs to know of texts that have a form of their own."""

import schemathesis
from hypothesis import strategies as st

schemathesis.openapi.format("cursor", st.just(""))
"""Each is of one list only: made up ones are refused."""
schemathesis.openapi.format(
    "search",
    st.lists(
        st.sampled_from(
            [
                "priority>=high",
                "status:open,resolved",
                "label.team=shop",
                "age>1h",
                '"disk full"',
                "-source:other",
                "disk",
            ]
        ),
        max_size=6,
        unique=True,
    ).map(" ".join),
)
