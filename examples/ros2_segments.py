"""Publish the segments of each frame on a ROS 2 topic, as JSON in std_msgs/String.

livekm --camera 0 --stats - | python3 ros2_segments.py [topic]

Run it in the shell in which ROS 2 is set up (source /opt/ros/jazzy/setup.bash), which has rclpy.
Listen by: ros2 topic echo /livekm/segments
"""

from __future__ import annotations

import itertools
import json
import sys
from operator import itemgetter

import rclpy
from rclpy.qos import qos_profile_sensor_data
from std_msgs.msg import String


def main() -> None:
    """Publish until livekm or ROS ends."""
    topic = sys.argv[1] if len(sys.argv) > 1 else "livekm/segments"
    rclpy.init()
    node = rclpy.create_node("livekm")
    publisher = node.create_publisher(String, topic, qos_profile_sensor_data)
    rows = map(json.loads, sys.stdin)
    for _, segments in itertools.groupby(rows, itemgetter("frame")):
        if not rclpy.ok():
            break
        publisher.publish(String(data=json.dumps(list(segments))))
    node.destroy_node()
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
