"""From frames to files: the ffmpeg process, the formats, the matplotlib writer."""
