-- title: Height and day of the peaks
-- shows: The most persons infectious at once, as a share of the population, and when: one point for each member.
-- source: Anderson and May, Infectious Diseases of Humans (1991)
-- chart: scatter
-- x: day | day of the peak
-- y: infectious | % infectious at the peak
-- series: run
SELECT run, member, peak_tick AS day, 100 * peak_infectious / population AS infectious, attack_rate
FROM members
ORDER BY run, member
