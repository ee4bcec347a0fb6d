"""The small model that is trained here from nothing: its clips, its evaluation, its calibration."""
