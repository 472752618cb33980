\set target random(2, 10000)
select naive.move(1, :target, 1);
