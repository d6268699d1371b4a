"""Where the farm's data is kept; the only place that knows SQL."""
