\set target random(2, 10000)
select pgledger_move(1, :target);
