"""What held-out predictions say: metrics, intervals over patients, calibration, comparison. No network."""
