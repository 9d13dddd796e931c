"""Use cases: accept a webhook, run the chain, work off a job, reload."""
