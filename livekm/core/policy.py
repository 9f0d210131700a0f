"""What training may cost, and what it must be worth: every number that decides it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPolicy:
    """Numbers that decide how centers follow a scene; docs/engine.md tells what they do together.

    Savings and prices are parts of the frame's mse. Prices hold at a steadiness of 0.5; at s they
    are s / (1 - s) times as high.

    Attributes
    ----------
    steps, tolerance : int, float
        Lloyd steps a frame: until one saves less than this part of the error, at most so many.
    start_tolerance : float
        The same for the first frame of a shot, whose centers would go on moving in the next ones.
    fine_bits : int
        Bits behind the point of the centers where all pixels of an image are fitted: towards the
        end, steps are shorter than those of the usual grid.
    stillness : float
        Squared way, in parts of the cluster's mse, below which a center does not move: costs 0.1 %
        of mse; 1.5 and 3 % cost 0.3 to 0.9 % and flickered no less.
    starts, cut_starts : int
        Starts that are tried in the first frame and at a cut. With 6 instead of 16, a crop of the
        dashcam clip was 5.8 % above the best for 5 of 16 random states; with 16 for none.
    start_points, judged_points : int
        Points of the sample on which a start is seeded, or 16 a center, and judged.
    start_saving : float
        What a move must save in the first frame of a shot, where it gives no label away.
    light_points : int
        Points of the sample that tell of the light, at the most: a third of the usual number takes
        a third of the time.
    calm : int
        Levels of change in a channel up to which a pixel's change is taken for light: more than
        the 3 a frame of an exposure that falls, less than what passes.
    calm_points : int
        Calm points of a cluster that tell where the light brings it.
    saving : float
        What a move must save beside its price to be on offer.
    relabel_price : float
        Price of giving all pixels other labels; a move of fewer is cheaper.
    identity_price : float
        Price of giving an old and distinct label to something else. With this, `debt` and
        `at_once` labels were given away 23 times over four clips at k = 8 and 16, 94 before, at a
        worst ratio to converged k-means of 1.041; with a flat price of 10 % 31 times, at 1.056.
    distinct : float
        Levels in the largest channel from which on one colour is wholly another: a label is as
        dear as can be whose nearest other colour is so far, and something else when its own jumps
        farther.
    age : int
        Frames after which a label is old.
    debt : float
        What an offer must have saved in all, frame after frame, to be accepted.
    at_once : float
        What it must save beyond its price in one frame to be accepted at once: a real change.
    credit : float
        Part of a removal's loss that is left when the neighbours have moved, at the best.
    first_steps, checking_steps, hope : int, int, float
        Lloyd steps that check a move; it is given up after the first of them if it lacks more
        than `hope` of what it must save.
    tried, checked : int
        Centers to take away and clusters to split that are looked at, and pairs that are checked.
        With one pair, the first frame of the fixed street camera stayed 2.4 % above the best for
        half of the random states.
    moves : int
        Centers that move in one frame, at the most.
    longest_wait : int
        Frames between two looks for a move, at the most.
    news : float
        Share of the pixels whose colours have changed since a look failed that calls for another.
    jump : float
        Growth of the mse from one frame to the next that calls for a challenge at once.
    strange : float
        Squared distance of a pixel to its center, in times of the mse before the error jumped,
        beyond which the pixel is new: three times as far as is usual.
    few : float
        Share of the pixels below which those that are new wait for a second frame. In a damaged
        film, whose garbage comes every fifth frame, labels were given away 13 and 15 times in 250
        frames (k = 8 and 16) at a ratio of 0.992 and 1.022; with 5 %, 7 and 11 times, but frames
        that wait are worse, and what is new in a small picture shows a frame late.
    rivals : int
        Starts that challenge then.
    period, drift, rounds : int, float, int
        A challenge every `period` frames, `rounds` times after the share `drift` of the pixels has
        changed its colour, since one start may be unlucky.
    challenge_saving, challenge_price : float
        What a challenger must save beside the price of what it relabels and gives away; at a
        steadiness of 0 the former alone. Single moves that save as much go first.
    usual : float
        Levels of mean change up to which a change may become usual: with more, a cut at the end of
        a fade is none.
    slide : float
        Levels from its own colour at which a label is something else, though it slid there.
    forget : float
        Part of the way to a label's colour that its own colour goes in a frame.
    same : float
        Levels within which a colour that comes back after a cut is the same: with four shots that
        return eleven times, 4.6 (k = 8) and 10.4 (k = 16) ids in 100 frames were new.
    shots : int
        Shots whose colours are remembered.
    """

    steps: int = 10
    tolerance: float = 1e-3
    start_tolerance: float = 1e-4
    fine_bits: int = 12
    stillness: float = 0.006
    starts: int = 16
    cut_starts: int = 8
    start_points: int = 2048
    judged_points: int = 4096
    start_saving: float = 1e-3
    light_points: int = 8192
    calm: int = 24
    calm_points: int = 8
    saving: float = 0.01
    relabel_price: float = 0.1
    identity_price: float = 0.05
    distinct: float = 40.0
    age: int = 25
    debt: float = 0.3
    at_once: float = 0.15
    credit: float = 0.25
    first_steps: int = 2
    hope: float = 0.02
    tried: int = 3
    checked: int = 4
    checking_steps: int = 8
    moves: int = 3
    longest_wait: int = 8
    news: float = 0.03
    jump: float = 1.15
    strange: float = 9.0
    few: float = 0.025
    rivals: int = 3
    period: int = 5
    drift: float = 0.05
    rounds: int = 3
    challenge_saving: float = 0.02
    challenge_price: float = 0.04
    usual: float = 15.0
    slide: float = 80.0
    forget: float = 0.01
    same: float = 20.0
    shots: int = 8
