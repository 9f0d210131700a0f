"""A clip to a segmented clip, with its times and its sound.

python clip_to_file.py IN.mp4 OUT.mp4 [K]
"""

import sys

from livekm import Segmenter, open_sink, open_source


def main() -> None:
    """Segment every frame."""
    source_name, target, *rest = sys.argv[1:]
    segmenter = Segmenter(n_clusters=int(rest[0]) if rest else 8, random_state=0)
    with open_source(source_name) as source, open_sink(target, source.info) as sink:
        for frame in source:
            segmentation = segmenter.update(frame.image)
            if segmentation.scene_cut:
                print(f"cut at {frame.time:.2f} s")
            sink.write(segmentation.paint(), frame.time)


if __name__ == "__main__":
    main()
