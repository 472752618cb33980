\set source random(1, 10000)
\set target 1 + (:source + random(0, 9998)) % 10000
select pgledger_move(:source, :target);
