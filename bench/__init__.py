"""Speed, measured as ratios in one run: alertsage beside a bare aiohttp handler that only parses the same body."""
