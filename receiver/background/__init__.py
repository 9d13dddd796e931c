"""What goes on beside requests: the worker that does owed jobs, the sweeper, and what watches over both."""
