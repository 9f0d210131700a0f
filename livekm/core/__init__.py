"""The algorithm: streaming k-means over the frames of a video."""
