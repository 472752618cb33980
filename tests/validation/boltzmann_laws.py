"""How many units one agent holds, round by round, when agents of a large economy give each other one unit at a time.

Three programs call this the Boltzmann wealth model and mean three things by a round; each has a law of its own, exact
as the number of agents grows, since agents then hold their money independently. Only the pairs' law rests at the
geometric one (Drăgulescu and Yakovenko 2000); the others approach it, and all the exponential law, as money grows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Law = NDArray[np.float64]
"""Chance of holding 0, 1, … units."""
NODES, WEIGHTS = np.polynomial.legendre.leggauss(4)
MOMENTS = (NODES + 1) / 2
"""When an agent's turn may come, as a share of the round: the nodes of Gauss and Legendre's quadrature."""

FEW = 24
"""More units than anybody receives in one round, who receives one at most on average."""


@dataclass(frozen=True)
class Activation:
    """What a round is: the law after one more round, and the units that an agent gives away in it on average."""

    after_round: Callable[[Law], Law]
    given: Callable[[Law], float]


def paying(law: Law) -> Law:
    """The law after everyone who can has given one unit away."""
    left = np.append(law[1:], 0.0)
    left[0] += law[0]
    return left


def receiving(law: Law, mean: float) -> Law:
    """The law after everyone has received a number of units that is Poisson with this mean."""
    poisson = np.exp(-mean) * np.cumprod(np.append(1.0, mean / np.arange(1, len(law))))
    after: Law = np.convolve(law, poisson[:FEW])[: len(law)]
    return after


def received_until(law: Law, moment: float) -> float:
    """Units that an agent has received on average by a moment of a round of turns.

    Whoever's turn comes at t gives, unless nothing was held or received until then; so the rate is
    1 - P(0) exp(-s(t)), whose integral is s.
    """
    return float(np.log(law[0] + (1 - law[0]) * np.exp(moment)))


def in_pairs(law: Law) -> Law:
    """civlab's round: everyone is in one pair, and a fair coin says who of the two gives."""
    richer = np.concatenate([[0.0], law[:-1]])
    after: Law = (paying(law) + law[0] * law + (1 - law[0]) * richer) / 2
    return after


def in_turns(law: Law) -> Law:
    """Mesa's round: one agent after the other, in shuffled order, gives to one drawn at random."""
    whole = received_until(law, 1)
    after = np.zeros_like(law)
    for moment, weight in zip(MOMENTS, WEIGHTS, strict=True):
        before = received_until(law, moment)
        after += weight / 2 * receiving(paying(receiving(law, before)), whole - before)
    return after


def at_once(law: Law) -> Law:
    """mesa-frames' round: all who hold something give at the same time; a queue M/D/1, slot by slot."""
    return receiving(paying(law), 1 - law[0])


PAIRS = Activation(in_pairs, lambda law: float(1 - law[0]) / 2)
TURNS = Activation(in_turns, lambda law: received_until(law, 1))
AT_ONCE = Activation(at_once, lambda law: float(1 - law[0]))


def equal(money: int, *, most: int) -> Law:
    """Everyone holds the same."""
    return np.asarray(np.eye(most + 1)[money], np.float64)


def geometric(money: int, *, most: int) -> Law:
    """The geometric law of this mean."""
    return np.asarray((money / (1 + money)) ** np.arange(most + 1) / (1 + money), np.float64)


def law_after(activation: Activation, law: Law, rounds: int) -> Law:
    """The law so many rounds on."""
    for _ in range(rounds):
        law = activation.after_round(law)
    return law


def gini(law: Law) -> float:
    """Gini coefficient: the integral of F (1 - F) over the mean. (1 + T)/(1 + 2 T) for the geometric law of mean T."""
    below = np.cumsum(law)
    return float((below * (1 - below)).sum() / (law @ np.arange(len(law))))


def distance(law: Law, held: NDArray[np.int64]) -> float:
    """Kolmogorov and Smirnov's distance of what agents hold from a law."""
    found = np.bincount(held, minlength=len(law))[: len(law)] / len(held)
    return float(np.abs(np.cumsum(found) - np.cumsum(law)).max())


def most_apart(agents: int, *, level: float = 1e-4) -> float:
    """The distance that so many agents exceed with at most this chance if the law is theirs."""
    return float(np.sqrt(-np.log(level / 2) / 2 / agents))
