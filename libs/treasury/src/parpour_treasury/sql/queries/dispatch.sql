select d.epoch, d.counter, d.providers, d.locked_at, d.locked_by, d.reason, d.proposed_by, d.evidence
from treasury.dispatch d
