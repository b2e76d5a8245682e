"""The Faust processor of decision velocity: folds the facts of cases into states, observes, publishes measures.

It writes no database and can be rebuilt from the topic. What Faust promises is not relied on where it was found
wanting: facts are taken as bytes and decoded here; nothing raises inside the agent; offsets are committed by this
room, in order and only after the broker has acknowledged both the new state and the measure, so that a worker that
is killed leaves nothing out. A fact that is heard again folds to the same state and says the same measure again,
under the same id. Each worker writes what it knows of a case under a key of its own, and a case is all that was
written of it: a worker that stood still and goes on overwrites nothing of who took over. After a restart the histogram
starts at zero and counts what is implemented from then on: which phases of a case were observed is part of its state,
so no case is counted twice by any worker.
"""

from services.scorecard.stream.serving import run

__all__ = ["run"]
