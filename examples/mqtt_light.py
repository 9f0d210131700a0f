"""Set a light to the dominant colour of what a camera sees, over MQTT.

python mqtt_light.py HOST[:PORT] TOPIC [SOURCE] [FRAMES]

Sends ``{"state": "ON", "color": {"r": 200, "g": 60, "b": 30}}``, as zigbee2mqtt and Home Assistant
take it, at most twice a second and only where the colour changed. Needs paho-mqtt 2.
"""

from __future__ import annotations

import json
import sys
import time

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from livekm import Frame, Segmentation, Segmenter, live_frames


class Light:
    """Follows the largest segment."""

    def __init__(self, client: Client, topic: str) -> None:
        self._client, self._topic = client, topic
        self._next, self._color = 0.0, (-1, -1, -1)

    def __call__(self, frame: Frame, segmentation: Segmentation) -> None:
        """Send the colour of the largest segment, if it is new and the last one is old."""
        blue, green, red = segmentation.palette[segmentation.counts.argmax()].tolist()
        if (red, green, blue) == self._color or time.monotonic() < self._next:
            return
        self._next, self._color = time.monotonic() + 0.5, (red, green, blue)
        message = {"state": "ON", "color": {"r": red, "g": green, "b": blue}}
        self._client.publish(self._topic, json.dumps(message))


def main() -> None:
    """Follow the source to its end, or for some frames."""
    host, _, port = sys.argv[1].partition(":")
    source = sys.argv[3] if len(sys.argv) > 3 else "0"
    frames = int(sys.argv[4]) if len(sys.argv) > 4 else None
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect(host, int(port or 1883))
    client.loop_start()
    device = int(source) if source.isdecimal() else source
    live_frames(device, Segmenter(4), max_frames=frames).run(Light(client, sys.argv[2]))
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    main()
