"""Run Flamenco job types written in JavaScript."""
