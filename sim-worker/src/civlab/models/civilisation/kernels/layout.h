/* Generated from civlab/models/civilisation/layout.py: change that, then `make generate`. */

#ifndef CIVLAB_CIVILISATION_LAYOUT_H
#define CIVLAB_CIVILISATION_LAYOUT_H

#include "civlab.h"

#define GOODS 9u
#define ZONES 5u
#define SKILLS 3u
#define REACH 37u
#define REACH_RADIUS 3u
#define HIGHEST_PRICE 1099511627776u
#define HIGHEST_TECHNOLOGY 4398046511104u
#define HIGHEST_FLOW 13835058055282163712u
#define REACH_SELF 18u
#define LADDER 256u
#define WEEKS 52u
#define EPOCH 10000u
#define REGION_EVERY 13u
#define AGES 111u
#define NATIONS_MOST 8u
#define ADULT 18u
#define HEALTHS 3u
#define CROWD 3072u
#define CROWD_YEARS 128u
#define CROWD_CLASSES 24u
#define TALLIES 9u
#define HOMES 6u
#define HOME_YEARS 40u
#define LANDS 4u
#define FLOWS 39u
#define HEADS 8u
#define CALLS 10u
#define VITALS 9u
#define GOODS_FLOWS 8u
#define ENERGY_FLOWS 5u
#define NATION_METRICS 53u
#define REGION_METRICS 30u
#define MARKET_METRICS 21u
#define PARAMETERS 18u
#define RESPONSES 21u
#define METRICS 52u
#define DYNAMIC 66u
#define CHAINED 9u

#define GOOD_FOOD 0u
#define GOOD_FUEL 1u
#define GOOD_ENERGY 2u
#define GOOD_MATERIALS 3u
#define GOOD_MANUFACTURES 4u
#define GOOD_CONSTRUCTION 5u
#define GOOD_LOGISTICS 6u
#define GOOD_SERVICES 7u
#define GOOD_PUBLIC 8u

#define ZONE_TROPICAL 0u
#define ZONE_ARID 1u
#define ZONE_TEMPERATE 2u
#define ZONE_CONTINENTAL 3u
#define ZONE_POLAR 4u

#define LAND_FARMED 0u
#define LAND_MINED 1u
#define LAND_SETTLED 2u
#define LAND_WILD 3u

#define FLOW_WAGES 0u
#define FLOW_WAGES_RECEIVED 1u
#define FLOW_HOUSEHOLD_INCOME 2u
#define FLOW_HOLDINGS 3u
#define FLOW_HELD 4u
#define FLOW_TAXES_INCOME 5u
#define FLOW_TAXES_SALES 6u
#define FLOW_TAXES_PROFIT 7u
#define FLOW_CONTRIBUTIONS 8u
#define FLOW_BENEFITS 9u
#define FLOW_PENSIONS 10u
#define FLOW_CHILD_BENEFITS 11u
#define FLOW_DIVIDENDS 12u
#define FLOW_PURCHASES 13u
#define FLOW_INTEREST_PUBLIC 14u
#define FLOW_RESCUES 15u
#define FLOW_HOUSEHOLD_SPENDING 16u
#define FLOW_INVESTMENT 17u
#define FLOW_OUTPUT 18u
#define FLOW_OUTPUT_REAL 19u
#define FLOW_FAILURES 20u
#define FLOW_WRITE_OFFS 21u
#define FLOW_LENT 22u
#define FLOW_REPAID 23u
#define FLOW_INTEREST 24u
#define FLOW_PAID_OUT 25u
#define FLOW_CASH_BEFORE 26u
#define FLOW_CASH 27u
#define FLOW_LOANS 28u
#define FLOW_REVENUE 29u
#define FLOW_SPENT 30u
#define FLOW_STAFF 31u
#define FLOW_EXPORTS 32u
#define FLOW_IMPORTS 33u
#define FLOW_TREASURY_BEFORE 34u
#define FLOW_DEBT_BEFORE 35u
#define FLOW_BANKS_BEFORE 36u
#define FLOW_BELOW_ZERO 37u
#define FLOW_BEYOND 38u

#define HEAD_PEOPLE 0u
#define HEAD_WORKERS 1u
#define HEAD_EMPLOYED 2u
#define HEAD_SEEKERS 3u
#define HEAD_RETIRED 4u
#define HEAD_MINORS 5u
#define HEAD_HOUSEHOLDS 6u
#define HEAD_HOUSED 7u

#define VITAL_BIRTHS 0u
#define VITAL_DEATHS 1u
#define VITAL_ARRIVALS 2u
#define VITAL_DEPARTURES 3u
#define VITAL_HIRES 4u
#define VITAL_SEPARATIONS 5u
#define VITAL_ESTATES 6u
#define VITAL_INHERITED 7u
#define VITAL_UNCLAIMED 8u

#define TALLY_ABLE_BASIC 0u
#define TALLY_ABLE_TRAINED 1u
#define TALLY_ABLE_EXPERT 2u
#define TALLY_RETIRING_BASIC 3u
#define TALLY_RETIRING_TRAINED 4u
#define TALLY_RETIRING_EXPERT 5u
#define TALLY_MINORS 6u
#define TALLY_RETIRED 7u
#define TALLY_PEOPLE 8u

#define HOMES_HOUSEHOLDS 0u
#define HOMES_COUPLES 1u
#define HOMES_GENERATIONS 2u
#define HOMES_ADULTS_THEN 3u
#define HOMES_HOUSEHOLDS_THEN 4u
#define HOMES_COUPLES_THEN 5u

#define PARAMETER_HEAT_CAPACITY_SURFACE 0u
#define PARAMETER_HEAT_CAPACITY_MIDDLE 1u
#define PARAMETER_HEAT_CAPACITY_DEEP 2u
#define PARAMETER_FEEDBACK 3u
#define PARAMETER_TRANSFER_MIDDLE 4u
#define PARAMETER_TRANSFER_DEEP 5u
#define PARAMETER_EFFICACY 6u
#define PARAMETER_GAMMA 7u
#define PARAMETER_IIRF_0 8u
#define PARAMETER_IIRF_UPTAKE 9u
#define PARAMETER_IIRF_TEMPERATURE 10u
#define PARAMETER_IIRF_AIRBORNE 11u
#define PARAMETER_CO2_BASELINE 12u
#define PARAMETER_CO2_SCALE 13u
#define PARAMETER_CH4_SCALE 14u
#define PARAMETER_N2O_SCALE 15u
#define PARAMETER_OTHER_SCALE 16u
#define PARAMETER_SENSITIVITY 17u

#define GOODS_FLOW_MADE 0u
#define GOODS_FLOW_USED 1u
#define GOODS_FLOW_SOLD 2u
#define GOODS_FLOW_RECEIVED 3u
#define GOODS_FLOW_CONSUMED 4u
#define GOODS_FLOW_BUILT 5u
#define GOODS_FLOW_PERISHED 6u
#define GOODS_FLOW_CARRIED 7u

#define ENERGY_FLOW_EXTRACTED 0u
#define ENERGY_FLOW_GAINED 1u
#define ENERGY_FLOW_PRIMARY 2u
#define ENERGY_FLOW_EMBODIED_USED 3u
#define ENERGY_FLOW_EMBODIED_LOST 4u

#define CALL_PRICE 0u
#define CALL_BID_STEP 1u
#define CALL_BID_LEFT 2u
#define CALL_ASK_STEP 3u
#define CALL_ASK_LEFT 4u
#define CALL_VOLUME 5u
#define CALL_WANTED 6u
#define CALL_WANTED_STEP 7u
#define CALL_EXPECTED 8u
#define CALL_MONEY 9u

#define EVENT_DEATH 1u
#define EVENT_BIRTH 2u
#define EVENT_LEAVING 3u
#define EVENT_SEEKING 4u
#define EVENT_THINKING 5u
#define EVENT_MOVING 6u

#define DRAW_TERRAIN 1u
#define DRAW_SETTLEMENT 2u
#define DRAW_HOUSEHOLD 3u
#define DRAW_AGE 4u
#define DRAW_CHILD 5u
#define DRAW_KIN 6u
#define DRAW_SKILL 7u
#define DRAW_FIRM 8u
#define DRAW_WORK 9u
#define DRAW_MATCH 10u
#define DRAW_EVENT 11u
#define DRAW_BIRTH 12u
#define DRAW_PARTNER 13u
#define DRAW_DESTINATION 14u
#define DRAW_SCHOOL 15u
#define DRAW_WEALTH 16u
#define DRAW_RESERVE 17u
#define DRAW_HIRING 18u
#define DRAW_PRICE 19u
#define DRAW_CROWD_SCHOOL 20u
#define DRAW_CROWD_BIRTHDAY 21u
#define DRAW_CROWD_EVENT 22u
#define DRAW_CROWD_WORK 23u
#define DRAW_CROWD_MATCH 24u
#define DRAW_FORTUNE 25u
#define DRAW_SURPRISE 26u
#define DRAW_SWING 27u
#define DRAW_LEAP 28u

#define FAULT_GOODS 1u
#define FAULT_MONEY 2u
#define FAULT_ENERGY 3u
#define FAULT_CARBON 4u
#define FAULT_POPULATION 5u
#define FAULT_LABOUR 6u
#define FAULT_FIRM_SHEET 7u
#define FAULT_BANK_SHEET 8u
#define FAULT_HOUSEHOLD_SHEET 9u
#define FAULT_GOVERNMENT_SHEET 10u
#define FAULT_TRADE 11u
#define FAULT_RATIONING 12u
#define FAULT_LAND 13u
#define FAULT_CREDIT 14u
#define FAULT_INHERITANCE 15u
#define FAULT_NEGATIVE 16u
#define FAULT_BOUNDS 17u
#define FAULT_CHAIN 18u
#define FAULT_EMBODIED 19u
#define FAULT_FULL_CITIZENS 20u
#define FAULT_FULL_HOUSEHOLDS 21u
#define FAULT_OVERFLOW 22u

#define NATION_METRIC_CITIZENS 0u
#define NATION_METRIC_HOUSEHOLDS 1u
#define NATION_METRIC_BIRTHS 2u
#define NATION_METRIC_DEATHS 3u
#define NATION_METRIC_EMPLOYED 4u
#define NATION_METRIC_UNEMPLOYED 5u
#define NATION_METRIC_VACANCIES 6u
#define NATION_METRIC_OUTPUT 7u
#define NATION_METRIC_OUTPUT_REAL 8u
#define NATION_METRIC_PRODUCT 9u
#define NATION_METRIC_PRODUCT_REAL 10u
#define NATION_METRIC_CONSUMPTION 11u
#define NATION_METRIC_PURCHASES 12u
#define NATION_METRIC_INVESTMENT 13u
#define NATION_METRIC_EXPORTS 14u
#define NATION_METRIC_IMPORTS 15u
#define NATION_METRIC_PRICE_LEVEL 16u
#define NATION_METRIC_WAGE 17u
#define NATION_METRIC_POLICY_RATE 18u
#define NATION_METRIC_ENERGY_PRICE 19u
#define NATION_METRIC_ENERGY_SOLD 20u
#define NATION_METRIC_ENERGY_SOLD_HIGH 21u
#define NATION_METRIC_ENERGY_SHORT 22u
#define NATION_METRIC_ENERGY_SHORT_HIGH 23u
#define NATION_METRIC_FAILURES 24u
#define NATION_METRIC_HOLDINGS 25u
#define NATION_METRIC_DEPOSITS 26u
#define NATION_METRIC_CASH 27u
#define NATION_METRIC_TREASURY 28u
#define NATION_METRIC_POOL 29u
#define NATION_METRIC_EQUITY 30u
#define NATION_METRIC_LOANS 31u
#define NATION_METRIC_DEBT 32u
#define NATION_METRIC_INCOME 33u
#define NATION_METRIC_WAGES 34u
#define NATION_METRIC_CONTRIBUTIONS 35u
#define NATION_METRIC_TAXES_INCOME 36u
#define NATION_METRIC_TAXES_SALES 37u
#define NATION_METRIC_TAXES_PROFIT 38u
#define NATION_METRIC_BENEFITS 39u
#define NATION_METRIC_PENSIONS 40u
#define NATION_METRIC_CHILD_BENEFITS 41u
#define NATION_METRIC_DIVIDENDS 42u
#define NATION_METRIC_REVENUE 43u
#define NATION_METRIC_SPENT 44u
#define NATION_METRIC_LENT 45u
#define NATION_METRIC_REPAID 46u
#define NATION_METRIC_INTEREST 47u
#define NATION_METRIC_WRITE_OFFS 48u
#define NATION_METRIC_PAID_OUT 49u
#define NATION_METRIC_INTEREST_PUBLIC 50u
#define NATION_METRIC_RESCUES 51u
#define NATION_METRIC_UNCLAIMED 52u

#define REGION_METRIC_CITIZENS 0u
#define REGION_METRIC_EMPLOYED 1u
#define REGION_METRIC_UNEMPLOYED 2u
#define REGION_METRIC_BIRTHS 3u
#define REGION_METRIC_DEATHS 4u
#define REGION_METRIC_ARRIVALS 5u
#define REGION_METRIC_DEPARTURES 6u
#define REGION_METRIC_OUTPUT 7u
#define REGION_METRIC_INCOME 8u
#define REGION_METRIC_CONSUMPTION 9u
#define REGION_METRIC_DEPOSITS 10u
#define REGION_METRIC_WAGE 11u
#define REGION_METRIC_WARMING 12u
#define REGION_METRIC_DAMAGE 13u
#define REGION_METRIC_FARMED 14u
#define REGION_METRIC_MINED 15u
#define REGION_METRIC_SETTLED 16u
#define REGION_METRIC_WILD 17u
#define REGION_METRIC_RESERVE 18u
#define REGION_METRIC_RESERVE_HIGH 19u
#define REGION_METRIC_EXTRACTED 20u
#define REGION_METRIC_EXTRACTED_HIGH 21u
#define REGION_METRIC_GAINED 22u
#define REGION_METRIC_GAINED_HIGH 23u
#define REGION_METRIC_EMBODIED_NEW 24u
#define REGION_METRIC_EMBODIED_NEW_HIGH 25u
#define REGION_METRIC_EMBODIED_USED 26u
#define REGION_METRIC_EMBODIED_USED_HIGH 27u
#define REGION_METRIC_EMBODIED_LOST 28u
#define REGION_METRIC_EMBODIED_LOST_HIGH 29u

#define MARKET_METRIC_PRICE 0u
#define MARKET_METRIC_MADE 1u
#define MARKET_METRIC_MADE_HIGH 2u
#define MARKET_METRIC_USED 3u
#define MARKET_METRIC_USED_HIGH 4u
#define MARKET_METRIC_SOLD 5u
#define MARKET_METRIC_SOLD_HIGH 6u
#define MARKET_METRIC_RECEIVED 7u
#define MARKET_METRIC_RECEIVED_HIGH 8u
#define MARKET_METRIC_CONSUMED 9u
#define MARKET_METRIC_CONSUMED_HIGH 10u
#define MARKET_METRIC_BUILT 11u
#define MARKET_METRIC_BUILT_HIGH 12u
#define MARKET_METRIC_PERISHED 13u
#define MARKET_METRIC_PERISHED_HIGH 14u
#define MARKET_METRIC_CARRIED 15u
#define MARKET_METRIC_CARRIED_HIGH 16u
#define MARKET_METRIC_HOUSEHOLDS 17u
#define MARKET_METRIC_PUBLIC 18u
#define MARKET_METRIC_FIRMS 19u
#define MARKET_METRIC_UNMET 20u

#define COLUMN_BORN 0u
#define COLUMN_HOUSEHOLD 1u
#define COLUMN_EMPLOYER 2u
#define COLUMN_TRAITS 3u
#define COLUMN_DEPOSIT 4u
#define COLUMN_INCOME 5u
#define COLUMN_ORIGIN_A 6u
#define COLUMN_ORIGIN_B 7u
#define COLUMN_SIZE 8u
#define COLUMN_GENERATION 9u
#define COLUMN_CASH 10u
#define COLUMN_LOAN 11u
#define COLUMN_CAPITAL 12u
#define COLUMN_INVENTORY 13u
#define COLUMN_EMBODIED 14u
#define COLUMN_STOCK 15u
#define COLUMN_STOCK_EMBODIED 16u
#define COLUMN_PRICE 17u
#define COLUMN_SALES 18u
#define COLUMN_HAUL 19u
#define COLUMN_BARRED 20u
#define COLUMN_STAFF 21u
#define COLUMN_LAND 22u
#define COLUMN_RESERVE 23u
#define COLUMN_TARIFF 24u
#define COLUMN_WAGE 25u
#define COLUMN_WARMTH 26u
#define COLUMN_YIELD 27u
#define COLUMN_MOVED 28u
#define COLUMN_ZOOMED 29u
#define COLUMN_CROWD_PEOPLE 30u
#define COLUMN_CROWD_HOMES 31u
#define COLUMN_CROWD_DEPOSIT 32u
#define COLUMN_CROWD_INCOME 33u
#define COLUMN_TREASURY 34u
#define COLUMN_DEBT 35u
#define COLUMN_POOL 36u
#define COLUMN_POLICY_RATE 37u
#define COLUMN_INFLATION 38u
#define COLUMN_GROWTH 39u
#define COLUMN_TECHNOLOGY 40u
#define COLUMN_LEVEL 41u
#define COLUMN_PURCHASES 42u
#define COLUMN_SWING 43u
#define COLUMN_OUTPUT 44u
#define COLUMN_ENERGY_PRICE 45u
#define COLUMN_ABROAD 46u
#define COLUMN_EQUITY 47u
#define COLUMN_LENT 48u
#define COLUMN_BASE_MONEY 49u
#define COLUMN_CARBON_DUE 50u
#define COLUMN_CARBON_REST 51u
#define COLUMN_CARBON 52u
#define COLUMN_CARBON_OWN 53u
#define COLUMN_BOXES 54u
#define COLUMN_GASES 55u
#define COLUMN_EMITTED 56u
#define COLUMN_HEAT 57u
#define COLUMN_TIPPING 58u
#define COLUMN_WARMING 59u
#define COLUMN_SEA_LEVEL 60u
#define COLUMN_BOOK_GOODS 61u
#define COLUMN_BOOK_ENERGY 62u
#define COLUMN_BOOK_EMBODIED 63u
#define COLUMN_BOOK_BURNT 64u
#define COLUMN_BOOK_PEOPLE 65u

#define PHASE_CLIMATE 0u
#define PHASE_PEOPLE 1u
#define PHASE_PLAN 2u
#define PHASE_LABOUR 3u
#define PHASE_ENERGY 4u
#define PHASE_WORK 5u
#define PHASE_MARKET 6u
#define PHASE_FINANCE 7u
#define PHASE_RECORD 8u

#define METRIC_CITIZENS 0u
#define METRIC_HOUSEHOLDS 1u
#define METRIC_BIRTHS 2u
#define METRIC_DEATHS 3u
#define METRIC_MOVES 4u
#define METRIC_EMPLOYED 5u
#define METRIC_UNEMPLOYED 6u
#define METRIC_VACANCIES 7u
#define METRIC_HIRES 8u
#define METRIC_SEPARATIONS 9u
#define METRIC_OUTPUT 10u
#define METRIC_OUTPUT_REAL 12u
#define METRIC_PRODUCT 14u
#define METRIC_PRODUCT_REAL 15u
#define METRIC_CONSUMPTION 16u
#define METRIC_PUBLIC 17u
#define METRIC_INVESTMENT 18u
#define METRIC_UNMET 19u
#define METRIC_PRICE_LEVEL 20u
#define METRIC_WAGE 21u
#define METRIC_POLICY_RATE 22u
#define METRIC_MONEY 23u
#define METRIC_EQUITY 25u
#define METRIC_LOANS 27u
#define METRIC_PUBLIC_DEBT 29u
#define METRIC_FAILURES 31u
#define METRIC_ENERGY_PRICE 32u
#define METRIC_ENERGY_SOLD 33u
#define METRIC_ENERGY_SHORT 35u
#define METRIC_FUEL_BURNT 37u
#define METRIC_RESERVES 39u
#define METRIC_TRADED 41u
#define METRIC_WARMING 42u
#define METRIC_CO2 43u
#define METRIC_SEA_LEVEL 44u
#define METRIC_CARBON_OWN 45u
#define METRIC_CARBON_EMITTED 46u
#define METRIC_CARBON_AIR 47u
#define METRIC_CARBON_SINKS 48u
#define METRIC_DAMAGE 49u
#define METRIC_ESTATES 50u
#define METRIC_INHERITED 51u

struct Scenario {
    u64 lot[9]; /* units of each good in a lot, for which prices are posted */
    u64 technology[9][9]; /* units of each input for a lot of output, [industry][good] */
    u64 productivity[9]; /* units of output by an efficiency unit (256) in a week, at the start */
    u64 capacity[9]; /* units of output a week by 10^6 base money of capital */
    u64 renewable[9]; /* primary energy gained for a lot of output that no input brings, mJ */
    u64 without_fuel; /* Q32.32: share of energy that is made without fuel */
    u64 electric; /* Q32.32: energy that takes the place of fuel that an industry lacks */
    u64 extraction[9]; /* fuel taken from the ground for a lot of output, mJ */
    u64 intensity[9]; /* primary energy embodied in a lot at the start, J */
    u64 employment[9]; /* Q0.63: share of each industry in employment */
    u64 mix[9][3]; /* Q0.63: share of each skill in an industry's employees, [industry][skill] */
    u64 markup[9]; /* Q32.32: price over unit cost, by industry */
    u64 cover[9]; /* Q32.32: weeks of sales kept in store, by industry */
    u64 input_cover[9]; /* Q32.32: weeks of use kept of each input */
    u64 perish[9]; /* Q32.32: share of unsold output that perishes a week, by good */
    u64 freight[9]; /* Q32.32: rise of the price by a cell of distance, by good */
    u64 freight_energy[9]; /* energy to carry a lot over a cell of distance, mJ */
    u64 subsistence[9]; /* base money a citizen and week, by good */
    u64 taste[9]; /* Q0.63: share of each good in spending beyond subsistence */
    u64 public_share[9]; /* Q0.63: share of each good in public purchases */
    u64 capital_share[9]; /* Q0.63: share of each good in capital */
    u64 depreciation[9]; /* Q32.32 a week, by industry */
    i64 choice; /* Q31.32: intensity of choice between prices */
    u64 nearness; /* Q32.32: share of a seller's weight that is left by a cell of distance */
    u64 wage; /* money a week for an efficiency unit at the start */
    u64 use; /* Q32.32: use of capacity that is aimed at */
    i64 surprise; /* Q31.32: deviation of a surprise in a week's demand, over it */
    u64 surprises; /* Q0.32: chance a week that a firm's demand surprises it */
    u64 learning; /* Q32.32: weight of the last week in expected sales */
    u64 adjustment; /* Q32.32 a week: share of a gap in stores that is made up */
    u64 building; /* Q32.32 a week: share of a gap in capital that is made up */
    u64 price_speed; /* Q32.32 a week: share of a gap in price that is made up */
    u64 price_bound; /* Q32.32: most that a price changes in a week */
    u64 price_pressure; /* Q32.32: change of a price by empty stores */
    u64 price_noise; /* Q32.32: most that a price changes by chance in a week */
    u64 quit; /* Q0.32: chance a week that a job ends by itself */
    u64 hiring; /* Q32.32: share of a lack of staff that is advertised in a week */
    u64 layoff; /* Q32.32: share of an excess of staff that is dismissed in a week */
    u64 search; /* Q0.32: chance that a seeker applies in a week */
    u64 wage_flexibility; /* Q32.32 a week: change of pay by unemployment below its target */
    u64 unemployment; /* Q32.32: unemployment at which pay follows prices and productivity */
    u64 progress; /* Q32.32 a week: growth of labour productivity */
    u64 propensity; /* Q32.32: share of income spent */
    u64 wealth_propensity; /* Q32.32 a week: share of wealth spent */
    i64 patience; /* Q31.32: fall of spending by the yearly real rate beyond its natural level */
    u64 income_memory; /* Q32.32: weight of the last week in smoothed income */
    i64 inflation_target; /* Q31.32 a week */
    i64 credibility; /* Q31.32: pull of the target on expected inflation, over that of what was seen */
    i64 natural_rate; /* Q31.32 a week */
    i64 rate_memory; /* Q31.32: weight of the last rate */
    i64 rate_inflation; /* Q31.32: answer to inflation beyond its target */
    i64 rate_growth; /* Q31.32: answer to growth */
    i64 spread; /* Q31.32 a week: what firms pay above the policy rate */
    u64 capital_ratio; /* Q32.32: equity over loans that a bank keeps */
    u64 loan_to_value; /* Q32.32: most that a firm may owe over the value of its assets */
    u64 repayment; /* Q32.32 a week: share of a loan that is paid back */
    u64 buffer; /* Q32.32: weeks of costs that a firm keeps */
    u64 payout; /* Q32.32 a week: share of money beyond need that is paid out */
    u64 recovery; /* Q32.32: share of a failed firm's assets left as its loan */
    u64 exclusion; /* weeks for which a firm that failed gets no credit */
    u64 firm_cash; /* Q32.32: weeks of costs that a firm holds at the start */
    u64 firm_debt; /* Q32.32: loan over capital that firms keep */
    u64 savings; /* Q32.32: weeks of income that a household holds at the start */
    u64 employed; /* Q32.32: share of those who may work that has a job at the start */
    u64 dispersion; /* Q32.32: standard deviation of the logarithm of firms' sizes */
    u64 tax_income[8]; /* Q32.32, by nation */
    u64 tax_sales[8]; /* Q32.32 of the price before tax, by nation */
    u64 tax_profit[8]; /* Q32.32, by nation */
    u64 contributions[8]; /* Q32.32 of wages, paid by firms, by nation */
    u64 benefit[8]; /* Q32.32 of the nation's pay, by nation */
    u64 pension[8]; /* Q32.32 of the nation's pay, by nation */
    u64 child_benefit[8]; /* Q32.32 of the nation's pay, by nation */
    u64 public_size[8]; /* Q32.32: purchases of the government over wages at the start, by nation */
    u64 dividends[8]; /* Q32.32: dividends over households' other income at the start, by nation */
    u64 debt_target[8]; /* Q32.32: public debt over a year's output, by nation */
    u64 debt_speed; /* Q32.32 a week: answer of purchases to the debt */
    i64 swing; /* Q31.32: deviation of what is added to the swing of public purchases in a week */
    i64 leap; /* Q31.32: deviation of the chance by which technology moves in a week */
    i64 swing_memory; /* Q31.32: weight of the last week's swing */
    u32 efficiency[3]; /* efficiency of a skill, 256 is one */
    u32 critical[9][9]; /* 1 for inputs without which nothing is made, [industry][good] */
    u32 priority[9]; /* step of the ladder at which an industry bids for energy */
    u32 banks[8]; /* banks by nation */
    u32 purchases_fixed[8]; /* 1 for nations whose government always buys for the start's sum */
    u32 firms; /* firms */
    u32 nations; /* nations */
    u32 ticks; /* ticks of the scenario */
    u32 retirement; /* years at which a citizen retires */
};
CIVLAB_STATIC_ASSERT(sizeof(struct Scenario) == 3648, "layout of Scenario");

struct People {
    u64 death[3][2][111]; /* Q0.63 a round, [health][woman][age] */
    u64 birth[111]; /* Q0.63 a round of a woman, by age */
    u64 worsen[111]; /* Q0.63 a round: health falls by one step, by age */
    u64 recover; /* Q0.63 a round: health rises by one step */
    u64 leave; /* Q0.63 a round: a grown-up child founds a household */
    u64 seek[111]; /* Q0.63 a year: a single looks for a partner, by age */
    u64 move[111]; /* Q0.63 a round: a household thinks of moving, by age of its head */
    u64 befall[2][111]; /* Q0.63 a round: at least all chances together, [season][age] */
    u64 founder[222]; /* Q0.64, cumulative: women by age, then men without a partner by age */
    u64 spread; /* Q32.32: standard deviation of the logarithm of deposits that a crowd leaves */
    i64 answer_wage; /* Q31.32: answer of a region's weight to the relative gap in real wages */
    i64 answer_unemployment; /* Q31.32: answer to the gap in unemployment */
    i64 answer_warmth; /* Q31.32 by K: answer to the gap in warming */
    u32 founder_health[2][111][2]; /* Q1.31, cumulative: health of founders, [woman][age][health] */
    u32 partnered[111]; /* Q1.31: founding women with a partner, by age */
    u32 bear[111]; /* Q1.31 a year: births of a woman, by age, for founders' children */
    u32 keep[40]; /* Q2.30: children alive and at home for a birth so many years ago */
    u32 kin[111]; /* Q1.31: founders whose mother is alive, by age */
    u32 skill[2]; /* Q1.31, cumulative: what is learnt at school */
    u32 boys; /* Q1.31: boys among births */
    u32 endowment; /* Q1.31: share of a household's money that a leaving child takes */
    u32 near[4]; /* Q1.31: share of a region's weight kept at so many cells of distance */
    u32 abroad; /* Q1.31: share of a region's weight kept abroad */
    u32 gap; /* weeks, most between the ages of partners */
    u32 round; /* ticks between two rounds of people */
    u32 folds; /* weeks in which regions may become crowds */
    u32 fold_week[16]; /* those weeks */
};
CIVLAB_STATIC_ASSERT(sizeof(struct People) == 15864, "layout of People");

struct Land {
    u64 share[8]; /* Q0.63: share of each nation in the citizens */
    u64 fuel_use; /* mJ of fuel taken from the ground for a citizen and week, at the start */
    u64 fuel_years; /* Q32.32: years that the fuel lasts at the use of the start */
    u64 carbon_factor; /* g of carbon a GJ, times people for a citizen */
    i64 sine_south; /* Q31.32: sine of the southern edge's latitude */
    i64 sine_north; /* Q31.32: sine of the northern edge's latitude */
    double exponent; /* of the rank-size law */
    double fuel_spread; /* standard deviation of the logarithm of a region's years of fuel */
    double own_share; /* share of the model's own people in the pathway's CO2 at the start */
    double crop_loss[5]; /* share of crops lost a K since the start, by zone */
    double heat_loss[5]; /* share of work in the open lost a K since the start, by zone */
    double exposure[9]; /* heat's loss of work by good, over that in the open */
    double partition[4]; /* share of CO2 emissions by box */
    double lifetime[4]; /* yr: lifetime of CO2 by box at alpha = 1 */
    double g0; /* scale of alpha */
    double g1; /* yr: sensitivity of alpha */
    double co2_per_emission; /* ppm a GtCO2 */
    double ch4_per_emission; /* ppb a Mt */
    double n2o_per_emission; /* ppb a Mt */
    double ch4_lifetime; /* yr */
    double n2o_lifetime; /* yr */
    double ch4_baseline; /* ppb */
    double n2o_baseline; /* ppb */
    double ch4_baseline_emissions; /* Mt a year */
    double n2o_baseline_emissions; /* Mt a year */
    double ch4_by_ch4; /* change of CH4's lifetime by ppb of CH4 */
    double ch4_by_n2o; /* change of CH4's lifetime by ppb of N2O */
    double ch4_by_temperature; /* change of CH4's lifetime by K */
    double reference_co2; /* ppm at which CO2's forcing is zero */
    double reference_ch4; /* ppb at which CH4's forcing is zero */
    double reference_n2o; /* ppb at which N2O's forcing is zero */
    double zone[5]; /* warming of each zone's land a K of global warming */
    double threshold[6]; /* K of global warming at which an element tips */
    double timescale[6]; /* yr: an element's time scale */
    double tipped_warming[6]; /* K of global warming added by a tipped element */
    double sea_rate; /* m a year a K */
    double sea_rapid; /* m a K */
    double sea_equilibrium; /* K since the start at which the sea is at rest */
    double damage_quadratic; /* share a K^2 */
    double damage_steep; /* 1 for Weitzman's law */
    u32 farmed[5]; /* Q1.31: farmed share of land that is neither settled nor mined, by zone */
    u32 settled; /* Q1.31: settled share of all land */
    u32 mined; /* Q1.31: mined share of a region's land */
    u32 clearing; /* Q1.31 a year: share of wild land farmed anew for a whole harvest lost */
    u32 roughness; /* Q0.16: height of an octave over that of the coarser one */
    u32 relief; /* m: height of the highest region */
    u32 area; /* km^2 of a region */
    u32 pitch; /* km between the centres of neighbours */
    u32 width; /* columns of the map */
    u32 height; /* rows of the map, the first in the north */
    u32 straits; /* most cells of sea between two pieces of land */
    u32 shared; /* 1: all members have one map */
    u32 regions; /* regions */
    u32 nations; /* nations */
    u32 citizens; /* citizens at the start */
    u32 minimum; /* least citizens of a region at the start */
    u32 lag; /* years in which output follows the warming */
    u32 emits; /* 1: the fuel that is burnt warms the climate */
    u32 suffers; /* 1: warming costs output */
    u32 year_first; /* the scenario's row for 1750 */
    u32 start; /* year of the first tick */
};
CIVLAB_STATIC_ASSERT(sizeof(struct Land) == 808, "layout of Land");

struct Year {
    double co2; /* GtCO2 a year */
    double ch4; /* Mt CH4 a year */
    double n2o; /* Mt N2O a year */
    double other; /* W m-2: forcing of everything else at the end of the tick */
    double ch4_factor; /* factor of CH4's lifetime by other species */
};
CIVLAB_STATIC_ASSERT(sizeof(struct Year) == 40, "layout of Year");

struct World {
    u16 *born; /* per citizen, weeks: week of birth, counted from 10000 weeks before tick 0 */
    u32 *household; /* per citizen, no unit: household plus one, counted within the member; 0: vacant slot */
    u32 *employer; /* per citizen, no unit: firm plus one, counted within the member; 0: none */
    u8 *traits; /* per citizen, no unit: bit 0 woman, 1-2 skill, 3-4 health, 5 partnered, 6 child of the house */
    u8 *seeking; /* per citizen, no unit: skill plus one of a citizen who seeks work this week */
    u8 *event; /* per citizen, no unit: what befalls the citizen in this round of people */
    u32 *boarding; /* per citizen, no unit: slots of a region's movers, side by side */
    u64 *deposit; /* per household, money: what the household holds */
    u64 *income; /* per household, money: smoothed weekly income after taxes */
    u32 *origin_a; /* per household, no unit: household plus one that one partner came from; 0: none */
    u32 *origin_b; /* per household, no unit: household plus one that the other came from; 0: none */
    u8 *size; /* per household, citizens: citizens of the household; 0: vacant slot */
    u8 *generation; /* per household, no unit: generations since the founders */
    u64 *earned; /* per household, money: income of the tick after taxes, till it is posted */
    u64 *outlay; /* per household, money: what is to be spent in the tick, taxes included */
    u32 *heirs; /* per household, households: claims on the estate of a household that ended */
    u64 *first_heir; /* per household, no unit: first of the heirs' households */
    u32 *fate; /* per household, no unit: 0 as before, 1 ended, else two more than where it went */
    u8 *mark; /* per household, no unit: 1: lost a head; then: place of the disc it moves to, plus one; then 1: kin */
    u64 *elder; /* per household, no unit: who heads a household that lost a head */
    u64 *queue; /* per household, no unit: a region's seekers of a partner, later its movers, side by side */
    u8 *industry; /* per firm, no unit: good that the firm makes */
    u16 *bank; /* per firm, no unit: bank, counted within the member */
    u64 *cash; /* per firm, money: what the firm holds at its bank */
    u64 *loan; /* per firm, money: what it owes to its bank */
    u64 *capital; /* per firm, base money: fixed capital at base prices */
    u64 *inventory; /* per firm, units: unsold output */
    u64 *embodied; /* per firm, J: primary energy embodied in the unsold output */
    u64 *stock; /* 9 per firm, units: inputs by good */
    u64 *stock_embodied; /* 9 per firm, J: primary energy embodied in the inputs */
    u64 *price; /* per firm, money a lot: posted price before sales tax */
    u64 *sales; /* per firm, units: weekly demand that is expected */
    u64 *haul; /* per firm, mJ: energy used a week to carry goods, smoothed */
    u32 *barred; /* per firm, weeks: weeks for which the firm gets no credit, because it failed */
    u32 *staff; /* 3 per firm, citizens: employees by skill */
    u32 *want; /* 3 per firm, citizens: employees that are wanted, by skill */
    u32 *lapse; /* 3 per firm, Q0.32: chance that a job ends this week, by skill */
    u32 *left; /* 3 per firm, citizens: employees who left this week, by skill */
    u32 *joined; /* 3 per firm, citizens: employees who began this week, by skill */
    u32 *place; /* 3 per firm, no unit: first vacancy among the region's of that skill */
    u64 *pay; /* 3 per firm, money: gross weekly pay by skill */
    u64 *target; /* per firm, units: output that is aimed at */
    u64 *borrow; /* per firm, money: credit asked for */
    u64 *order; /* 9 per firm, money: money set aside for inputs, by good */
    u64 *invest; /* 9 per firm, money: money set aside for capital goods, by good */
    u64 *bid; /* per firm, mJ: energy bid for */
    u64 *bill; /* per firm, money: wages paid in the tick */
    u64 *built; /* per firm, base money: capital goods received */
    u64 *spent; /* per firm, money: money spent on goods in the tick */
    u64 *revenue; /* per firm, money: money earned in the tick */
    u64 *demanded; /* per firm, units: orders of the tick, met or not */
    u64 *offered; /* per firm, money: what may be sold in the tick */
    u64 *sold; /* per firm, units: goods sold in the tick */
    u64 *split_weight; /* per firm, no unit: weights of a split */
    u64 *split_share; /* per firm, no unit: shares of a split */
    u64 *split_rest; /* per firm, no unit: remainders of a split */
    u64 *bought; /* 9 per firm, money: money paid for goods by good, a region's firms side by side */
    u64 *delivered; /* 9 per firm, units: goods delivered by good, a region's firms side by side */
    u64 *delivered_embodied; /* 9 per firm, J: their embodied energy, likewise */
    u64 *rest; /* 9 per firm, no unit: remainders of their splits, likewise */
    u32 *region_cell; /* per region, no unit: cell of the map: row times the map's width plus column */
    u8 *region_nation; /* per region, no unit: nation, counted within the member */
    u8 *region_zone; /* per region, no unit: climate zone */
    u32 *region_height; /* per region, m: height above the sea */
    u32 *region_farmed; /* per region, km^2: farmed land at the start */
    u32 *region_settled; /* per region, citizens: citizens at the start */
    u64 *region_share; /* per region, Q0.63: share of the member's citizens at the start */
    u32 *reach; /* 37 per region, no unit: region plus one at each place of the disc; 0: none */
    u64 *attraction; /* 9 per region, no unit: pull of the region's sellers, by good */
    double *attract_made; /* per region, units: output at the start, while attractions are found */
    double *attract_bought; /* per region, no unit: purchases over what is in reach, likewise */
    double *attract_scale; /* per region, no unit: attractions, likewise */
    u32 *land; /* 4 per region, km^2: area by use */
    u64 *reserve; /* 2 per region, mJ: fuel in the ground, two limbs */
    u64 *tariff; /* 9 per region, money a lot: price last paid for each good */
    u64 *wage; /* per region, money a week: pay of an efficiency unit */
    i64 *warmth; /* per region, Q31.32 K: warming of the zone's land */
    u32 *yield; /* 9 per region, Q1.31: productivity left by climate damage, by good */
    u32 *moved; /* 2 per region, citizens: citizens who came and who left since the start */
    u8 *zoomed; /* per region, no unit: 1: the region's people are a crowd */
    u64 *vital; /* 9 per region, citizens: births and the like of the tick */
    u32 *workforce; /* 2 per region, citizens: who may work, and who of them does, in a round */
    u32 *boarded; /* 2 per region, no unit: households and citizens that move from the region */
    u32 *census; /* 8 per region, citizens: citizens by what they do */
    u32 *vacancy; /* 3 per region, jobs: vacancies by skill */
    u32 *seeker; /* 3 per region, citizens: seekers by skill */
    u64 *budget_households; /* 9 per region, money: households' budgets by good, taxes included */
    u64 *unspent; /* 9 per region, money: budgets that found no seller, by good */
    u64 *budget_public; /* 9 per region, money: government's budget by good */
    u64 *paid_households; /* 9 per region, money: what households spent by good, after taxes */
    u64 *paid_firms; /* 9 per region, money: what firms spent by good */
    u64 *paid_public; /* 9 per region, money: what the government spent by good */
    u64 *budget; /* 9 per region, money: all buyers' budgets by good, after taxes */
    u64 *supply; /* 9 per region, money: what the sellers offer, by good */
    u64 *offer_price; /* 9 per region, money a lot: mean posted price by good */
    u64 *accepted; /* 9 per region, money: orders accepted so far by good */
    u64 *sought; /* 9 per region, money: orders of the first round by good, met or not */
    u64 *fill; /* 9 per region, Q32.32: share of a budget that is spent, by good */
    u64 *appeal; /* 333 per region, Q0.32: weights of the sellers in reach */
    u64 *asked; /* 333 per region, money: orders of a round, by the buyer's disc */
    u64 *filled; /* 333 per region, money: orders accepted, by the buyer's disc */
    u64 *shipped; /* 333 per region, units: goods on their way, by the buyer's disc */
    u64 *shipped_embodied; /* 333 per region, J: their embodied energy */
    u64 *flow_goods; /* 72 per region, units: flows of the tick by good */
    u64 *flow_energy; /* 5 per region, mJ: flows of energy in the tick */
    u64 *bid_margin; /* per region, quanta: energy bid at the limit at which the call's volume runs out */
    u64 *bid_share; /* per region, quanta: the region's part of what is left for those bids */
    u64 *ask_margin; /* per region, quanta: energy offered at the limit at which the volume runs out */
    u64 *ask_share; /* per region, quanta: the region's part of what is left for those offers */
    u64 *energy_final; /* per region, quanta: energy delivered to households and the government */
    u64 *energy_bought; /* per region, quanta: energy delivered to the region */
    u64 *energy_sold; /* per region, quanta: energy sold by the region */
    u64 *energy_money; /* per region, money: what the region's sellers of energy are paid */
    u64 *energy_embodied; /* per region, J: embodied energy of what was sold, then of what was bought */
    u64 *region_held; /* per region, money: deposits of the region's households at the end */
    u64 *region_income; /* per region, money: income of the region's households */
    u64 *split_regions; /* per region, no unit: remainders of a split */
    u32 *crowd_people; /* 3072 per crowd, citizens: by year of birth, sex, schooling and health */
    u64 *crowd_homes; /* 6 per crowd, no unit: how the crowd lives */
    u64 *crowd_deposit; /* per crowd, money: what the crowd holds */
    u64 *crowd_income; /* per crowd, money: its smoothed weekly income after taxes */
    u32 *crowd_tally; /* 9 per crowd, citizens: counts of the week */
    u64 *crowd_earned; /* per crowd, money: income of the tick after taxes, till it is posted */
    u64 *crowd_outlay; /* per crowd, money: what is to be spent in the tick, taxes included */
    u64 *treasury; /* per nation, money: what the government holds */
    u64 *debt; /* per nation, money: what the government owes to the banks */
    u64 *pool; /* per nation, money: dividends to be paid out */
    i64 *policy_rate; /* per nation, Q31.32 a week: rate of the central bank */
    i64 *inflation; /* per nation, Q31.32 a week: expected inflation */
    i64 *growth; /* per nation, Q31.32 a week: expected real growth */
    u64 *technology; /* per nation, Q32.32: labour productivity over that of the start */
    u64 *level; /* per nation, money a lot: price level of consumption */
    u64 *purchases; /* per nation, money: weekly public purchases at current prices */
    i64 *swing; /* per nation, Q31.32: share by which the week's purchases are more than that */
    u64 *output; /* per nation, base money: smoothed weekly output at base prices */
    u64 *energy_price; /* per nation, money a lot: price of the last energy call */
    i64 *abroad; /* per nation, money: sales abroad less purchases since the start */
    u64 *flow; /* 39 per nation, money: the tick's flows */
    u64 *ladder_demand; /* 256 per nation, mJ: energy bid by limit */
    u64 *ladder_supply; /* 256 per nation, mJ: energy offered by limit */
    u64 *call; /* 10 per nation, no unit: result of the energy call */
    i64 *equity; /* per bank, money: capital of the bank */
    u64 *lent; /* per bank, money: loans of its firms */
    u8 *bank_nation; /* per bank, no unit: nation, counted within the member */
    u64 *requested; /* per bank, money: credit asked for */
    u64 *granted; /* per bank, Q32.32: share of the requests that is granted */
    u64 *earnings; /* per bank, money: interest received in the tick */
    u64 *losses; /* per bank, money: loans written off in the tick */
    u64 *lending; /* 2 per bank, money: loans made and repaid in the tick */
    i64 *base_money; /* per member, money: money that is nobody's debt: the central bank's */
    u64 *carbon_due; /* 2 per member, mJ: fuel burnt whose carbon is still to be counted, two limbs */
    u64 *carbon_rest; /* per member, 10^-15 kg: carbon of burnt fuel that makes no whole kg yet */
    i64 *carbon; /* 3 per member, kg: the world's carbon emitted, in the air, taken up since 1750 */
    i64 *carbon_own; /* per member, kg: carbon emitted by the world's own people */
    double *boxes; /* 4 per member, GtCO2: CO2 by box since 1750 */
    double *gases; /* 2 per member, Mt: CH4 and N2O above the baseline */
    double *emitted; /* per member, GtCO2: CO2 emitted since 1750 */
    double *heat; /* 4 per member, W m-2, K: lagged forcing and the temperatures of three layers */
    double *tipping; /* 6 per member, no unit: state of each tipping element: -1 today, +1 tipped */
    double *warming; /* per member, K: global warming since 1750, tipping elements included */
    double *sea_level; /* per member, m: rise of the sea since 1880 */
    double *parameters; /* 18 per member, no unit: climate parameter set */
    double *response; /* 21 per member, no unit: what follows from it, and the start's warming */
    u64 *book_goods; /* 18 per member, units: stocks of each good at the last count, two limbs */
    u64 *book_energy; /* 6 per member, mJ: energy there was, gained and dissipated, two limbs each */
    u64 *book_embodied; /* 2 per member, J: embodied energy at the last count, two limbs */
    u64 *book_burnt; /* 2 per member, mJ: fuel burnt since the start, by what left the stores, two limbs */
    u64 *book_people; /* per member, citizens: citizens at the last count */
    u64 *count_goods; /* 36 per member, units: stocks of each good, by limbs */
    u64 *count_embodied; /* 4 per member, J: embodied energy of all stocks, by limbs */
    u64 *fault; /* per member, no unit: first tick at which an invariant broke, and which; 0 none */
    u32 *fault_place; /* per member, no unit: region or other place of the first fault, plus one */
    i64 *fault_residue; /* 2 per member, no unit: what is missing or too much at the first fault, two limbs */
    i64 *nation_rows; /* 53 per nation and tick, no unit: metrics of nations */
    i64 *region_rows; /* 30 per region and tick, no unit: metrics of regions */
    i64 *market_rows; /* 189 per region and tick, no unit: metrics of markets, good by good */
    i64 *trade_rows; /* 72 per nation and tick, money: sold to each nation, good by good */
    u32 *arrival_rows; /* 37 per region and tick, citizens: who came from each place of the disc */
    i64 *goods_rows; /* 18 per member and tick, units: stocks of each good, two limbs */
    u32 *tile_member; /* per tile, no unit: member of a tile of citizens */
    u32 *tile_region; /* per tile, no unit: region of the tile, counted over all members */
    u32 *tile_begin; /* per tile, no unit: first slot of the tile */
    u32 *tile_end; /* per tile, no unit: slot after the tile's last */
    u32 *tile_seekers; /* 3 per tile, citizens: seekers by skill */
    u32 *tile_rank; /* 3 per tile, no unit: rank of the tile's first seeker in the region */
    u32 *block_member; /* per block, no unit: member of a tile of households */
    u32 *block_region; /* per block, no unit: region of the tile */
    u32 *block_begin; /* per block, no unit: first slot of the tile */
    u32 *block_end; /* per block, no unit: slot after the tile's last */
    u32 *cluster_member; /* per cluster, no unit: member of a region: the tile of its firms */
    u32 *cluster_begin; /* per cluster, no unit: first firm of the region */
    u32 *cluster_end; /* per cluster, no unit: firm after the region's last */
    u32 *industry_begin; /* 10 per cluster, no unit: first firm by industry, and the end */
    u32 *region_tile; /* 2 per cluster, no unit: first tile of the region's citizens, and the end */
    u32 *region_citizen; /* 2 per cluster, no unit: first slot of the region's citizens, and the end */
    u32 *region_household; /* 2 per cluster, no unit: first slot of the region's households, and the end */
    u32 *member_citizen; /* per member, no unit: first slot of the member's citizens */
    u32 *member_citizens; /* per member, slots: slots for the member's citizens */
    u32 *member_household; /* per member, no unit: first slot of the member's households */
    u32 *member_households; /* per member, slots: slots for the member's households */
    u32 *member_firm; /* per member, no unit: first firm of the member */
    u32 *member_firms; /* per member, firms: firms of the member */
    u32 *member_region; /* per member, no unit: first region of the member */
    u32 *member_regions; /* per member, regions: regions of the member */
    u32 *member_nation; /* per member, no unit: first nation of the member */
    u32 *member_nations; /* per member, nations: nations of the member */
    u32 *region_switch; /* 2 per cluster, no unit: first of the region's changes of zoom, and the end */
    u32 *switch_week; /* per switch, tick: when a region's people become a crowd, or persons again */
    u32 *member_crowd; /* per member, no unit: first crowd of the member */
    u32 *member_crowds; /* per member, crowds: crowds of the member */
    u32 *member_bank; /* per member, no unit: first bank of the member */
    u32 *member_banks; /* per member, banks: banks of the member */
    u32 *member_stream; /* per member, no unit: random stream of the member */
    u32 *member_scenario; /* per member, no unit: compiled scenario of the member */
    struct Scenario *scenario; /* per scenario, no unit: compiled economies */
    struct People *people; /* per scenario, no unit: compiled populations */
    struct Land *lands; /* per scenario, no unit: compiled worlds and climates */
    struct Year *year; /* per year, no unit: the rest of the world by year of each scenario */
    u32 *member_site; /* per member, no unit: first cell of the member's map, while maps are drawn */
    u32 *site_height; /* per site, no unit: height of the terrain */
    u32 *site_inland; /* per site, cells: way to the sea; 0 at sea */
    u32 *site_number; /* per site, no unit: region plus one; 0 at sea */
    u32 *site_list; /* per site, no unit: cells or regions in hand */
    u64 *site_key; /* per site, no unit: ranks and weights of regions */
    u64 *site_share; /* per site, no unit: shares of a split */
    u64 *site_rest; /* per site, no unit: remainders of a split */
    u8 *site_state; /* per site, no unit: 0 sea, 1 sea that may become land, 2 land */
    u8 *site_near; /* per site, no unit: bit k: nation k is near */
    u8 *site_nation; /* per site, no unit: nation plus one */
    i64 *history; /* 52 per member and tick, no unit: metrics */
    u64 *column_digest; /* 132 per member, no unit: running digest of each dynamic column */
    u64 *column_recount; /* 132 per member, no unit: digest of each dynamic column counted in full */
    u64 *phase_digest; /* 18 per member, no unit: change of the state by each chained phase */
    u32 *head; /* 8 per member, no unit: head of the chain, BLAKE3 */
    u64 seed; /* key of all draws */
    u32 members; /* members held at once */
    u32 regions; /* regions held at once */
    u32 nations; /* nations held at once */
};
CIVLAB_STATIC_ASSERT(sizeof(struct World) == 1896, "layout of World");

#endif
