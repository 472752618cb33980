"""The compiled economy against its published table, against NumPy's linear algebra, and against its own identities."""

from __future__ import annotations

import itertools
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civlab.errors import CivlabError
from civlab.models.civilisation import layout
from civlab.models.civilisation.accounts import (
    ACCOUNTS,
    Composition,
    WorldAccount,
    close_world,
    round_circulation,
    social_accounts,
)
from civlab.models.civilisation.compile import CompiledCivilisation, compile_civilisation
from civlab.models.civilisation.compile_economy import (
    CAPITAL_UNIT,
    COVER,
    ELASTICITY,
    FRISCH,
    JOULE,
    PERISH,
    elasticities,
    embodied_energy,
    of_industries,
    primary_energy,
)
from civlab.models.civilisation.matrices import inverse, less_from_identity, matrix, productive, times
from civlab.models.civilisation.national_table import energy_balance, national_table, rows_of
from civlab.models.civilisation.production import ENERGY, FUEL, PLACES, production_of, published
from parpour_contracts.scenario import (
    Parameter,
    ScenarioError,
    builtin_scenario,
    override,
    parameters,
    parse_scenario,
)
from parpour_contracts.scenario.civilisation.economy import (
    BASE_PRICE,
    GOODS,
    Demand,
    EconomySection,
    Energy,
    Government,
    Industry,
    OwnTechnology,
)

pytestmark = pytest.mark.unit

MILLION = 10**6
HALF = Fraction(1, 2)
PEOPLE = Composition(
    Fraction("0.2"),
    Fraction("0.6"),
    Fraction("0.02"),
    Fraction("0.18"),
    (Fraction("0.4"), Fraction("0.35"), Fraction("0.25")),
)
TWO = builtin_scenario("two-nations")


def compiled(**values: str) -> CompiledCivilisation:
    """The builtin's compiled form, with some parameters replaced (__ for a point)."""
    scenario = override(parse_scenario(TWO), {path.replace("__", "."): value for path, value in values.items()})
    return compile_civilisation(scenario)


def floats(a: object) -> np.ndarray:
    """Fractions as floats."""
    return np.array(a, dtype="f8")


@pytest.fixture(scope="module")
def two() -> CompiledCivilisation:
    return compiled()


def test_the_goods_of_the_document_are_those_of_the_layout() -> None:
    assert GOODS == layout.GOODS
    assert {row["good"] for row in rows_of("concordance.csv").values()} == set(GOODS)


def test_the_table_adds_up_to_the_published_totals() -> None:
    """BEA, Use Table 2014 after redefinitions, September 2024: gross domestic product 17,608.1 billion dollars and its
    parts; NIPA table 1.1.5 gives the same."""
    table = national_table()
    value_added = sum((*table.compensation, *table.taxes, *table.surplus), Fraction(0))
    assert round(value_added / 1000, 1) == Fraction("17608.1")
    assert sum(table.consumption) == 11_874_452
    assert sum(table.government) == 2_562_276
    assert sum(table.compensation) == 9_259_657
    assert sum(table.output) == 31_795_749
    rounding = [
        abs(
            sum(row[j] for row in table.inputs)
            + table.compensation[j]
            + table.taxes[j]
            + table.surplus[j]
            - table.output[j]
        )
        for j in PLACES
    ]
    assert max(rounding) <= 10


def test_capital_and_persons_agree_with_figures_published_elsewhere() -> None:
    """BEA, Fixed Assets table 1.3: consumption of fixed capital 2014 about 2.75 trillion dollars; BLS: 146 million
    employed (CPS), 10 million self-employed among them and jobs counted by industry (WIOD: 156 million)."""
    table = national_table()
    assert sum(table.worn) / 10**6 == pytest.approx(2.75, rel=0.15)
    assert sum(table.persons) == pytest.approx(156 * MILLION, rel=0.05)


def test_the_defaults_of_energy_are_the_rounded_balance_of_the_tables_year() -> None:
    balance = energy_balance()
    assert round(balance.renewable, 3) == Fraction(Energy().renewable)
    assert round(balance.efficiency, 3) == Fraction(Energy().efficiency)


def test_every_column_of_the_production_sums_to_one_and_leaves_a_profit() -> None:
    production = published()
    assert min(production.profit) > 0
    for shares in (production.consumption, production.investment, production.government):
        assert sum(shares) == 1


def test_the_spectral_radius_is_below_one_by_numpys_eigenvalues() -> None:
    inputs = floats(published().inputs)
    assert np.abs(np.linalg.eigvals(inputs)).max() < 0.6
    assert productive(published().inputs)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.integers(0, 100), min_size=4, max_size=4), min_size=4, max_size=4), st.integers(100, 400))
def test_productive_is_what_numpys_spectral_radius_says(rows: list[list[int]], over: int) -> None:
    a = matrix([[Fraction(value, over) for value in row] for row in rows])
    radius = np.abs(np.linalg.eigvals(floats(a))).max()
    if abs(radius - 1) > 1e-6:
        assert productive(a) == (radius < 1)


def test_leontiefs_inverse_is_exact_and_agrees_with_numpy() -> None:
    production = published()
    found = production.inverse()
    identity = times(found, less_from_identity(production.inputs))
    assert identity == matrix([[int(i == j) for j in PLACES] for i in PLACES])
    np.testing.assert_allclose(floats(found), np.linalg.inv(np.eye(9) - floats(production.inputs)), rtol=1e-12)


def test_a_matrix_without_an_inverse_is_told() -> None:
    with pytest.raises(ZeroDivisionError):
        inverse(matrix([[1, 2], [2, 4]]))


def test_embodied_energy_solves_its_equations_in_numpy(two: CompiledCivilisation) -> None:
    """e = A'e + direct, with inputs, lots and primary energy as kernels read them."""
    record = two.record[0]
    lot = record["lot"].astype("f8")
    inputs = record["technology"].astype("f8") / lot[None, :]
    direct = np.zeros(9)
    direct[FUEL], direct[ENERGY] = lot[FUEL], record["renewable"][ENERGY]
    expected = np.linalg.solve(np.eye(9) - inputs, direct)
    section = EconomySection()
    found = embodied_energy(two.account.production, section)
    assert [float(value) for value in primary_energy(two.account.production, section)] == direct.tolist()
    np.testing.assert_allclose(floats(found), expected, rtol=1e-12)
    np.testing.assert_allclose(record["intensity"].astype("f8") * JOULE, expected, rtol=1e-8)


def test_all_primary_energy_is_embodied_in_what_is_bought(two: CompiledCivilisation) -> None:
    account, section = two.account, EconomySection()
    production = account.production
    found = embodied_energy(production, section)
    bought = [
        production.consumption[g] * account.consumption
        + production.government[g] * account.purchases
        + production.investment[g] * account.investment
        for g in PLACES
    ]
    direct = primary_energy(production, section)
    won = sum(d * x for d, x in zip(direct, account.output, strict=True))
    assert float(sum(e * b for e, b in zip(found, bought, strict=True)) / won) == pytest.approx(1, rel=1e-5)


def test_fuel_for_a_person_is_about_that_of_the_tables_country(two: CompiledCivilisation) -> None:
    """EIA: 80.2 quadrillion Btu of fossil fuel for 318.6 million people in 2014 are 266 GJ a person; and a lot of 10 GJ
    at 100 money units of 100 minor units follows from nothing but this."""
    burnt = Fraction(int(two.lands["fuel_use"][0])) * 52 / 10**12 / Fraction("1.05")
    assert float(burnt) == pytest.approx(266, rel=0.1)


def test_the_social_accounts_balance_to_the_unit_and_are_within_a_unit_of_the_exact_ones(
    two: CompiledCivilisation,
) -> None:
    accounts = social_accounts(two.account, 100_000)
    assert accounts.received() == accounts.paid()
    assert accounts.names == ACCOUNTS
    assert min(value for row in accounts.cells for value in row) >= 0
    for j in PLACES:
        for i in PLACES:
            exact = two.account.production.inputs[i][j] * two.account.output[j] * 100_000
            assert abs(accounts.cells[i][j] - exact) < 1


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 1000)), min_size=1, max_size=30))
def test_a_circulation_is_rounded_to_floor_or_ceiling_of_every_cell(walks: list[tuple[int, int, int]]) -> None:
    """Any sum of weighted round trips balances; Cox (1987) gives the rounding."""
    cells = [[Fraction(0)] * 6 for _ in range(6)]
    for start, step, weight in walks:
        stops = [(start + k * (step + 1)) % 6 for k in range(6)]
        for here, there in zip(stops, [*stops[1:], stops[0]], strict=True):
            cells[here][there] += Fraction(weight, 7)
    exact = tuple(tuple(row) for row in cells)
    rounded = round_circulation(exact)
    for i in range(6):
        assert sum(rounded[i]) == sum(row[i] for row in rounded)
        for j in range(6):
            assert rounded[i][j] in (exact[i][j] // 1, -(-exact[i][j] // 1))


def test_an_account_that_does_not_balance_is_not_rounded() -> None:
    with pytest.raises(ValueError, match="differ"):
        round_circulation(matrix([[0, 1], [0, 0]]))


def shares_of_final_use(account: WorldAccount) -> list[float]:
    """Consumption, purchases and investment over their sum."""
    parts = [account.consumption, account.purchases, account.investment]
    return [float(part / sum(parts, Fraction(0))) for part in parts]


def test_the_account_closes_exactly_for_nations_with_different_taxes(two: CompiledCivilisation) -> None:
    account, production = two.account, two.account.production
    assert account.mean("consumption") == account.consumption
    assert account.mean("purchases") == account.purchases
    cost = sum(labour * x for labour, x in zip(production.labour, account.output, strict=True))
    assert cost == account.mean("wages") + account.mean("contributions")
    for g in PLACES:
        used = sum(production.inputs[g][j] * account.output[j] for j in PLACES)
        final = (
            production.consumption[g] * account.consumption
            + production.government[g] * account.purchases
            + production.investment[g] * account.investment
        )
        assert used + final == account.output[g]


def test_the_default_account_resembles_the_tables_country() -> None:
    """BEA 2014, of consumption, government consumption and capital worn out (11.87, 2.56 and 2.75 trillion): 69, 15 and
    16 %; employment by industry: WIOD."""
    account = close_world(EconomySection(), [Government()], (Fraction(1),), PEOPLE)
    assert shares_of_final_use(account) == pytest.approx([0.69, 0.15, 0.16], abs=0.04)
    table = national_table()
    persons = floats(table.persons) / float(sum(table.persons))
    employment = compiled().record[0]["employment"] / 2.0**63
    np.testing.assert_allclose(employment, persons, atol=0.025)


def test_base_prices_are_unit_costs_times_markups(two: CompiledCivilisation) -> None:
    """The kernels' own formula: pay and contributions, inputs and capital worn out at the prices of the start."""
    record = two.record[0]
    lot = [int(value) for value in record["lot"]]
    rate = Fraction(Government().contributions)
    for j in PLACES:
        cost = record["wage"] * (1 + rate) * lot[j] / Fraction(int(record["productivity"][j]))
        cost += sum(Fraction(BASE_PRICE * int(record["technology"][j][g]), lot[g]) for g in PLACES)
        capital = Fraction(lot[j] * CAPITAL_UNIT, int(record["capacity"][j])) / Fraction(int(record["use"]), 2**32)
        cost += capital * Fraction(int(record["depreciation"][j]), 2**32)
        price = cost * Fraction(int(record["markup"][j]), 2**32)
        assert abs(price - BASE_PRICE) < Fraction(1, 2), GOODS[j]
        assert record["markup"][j] > 2**32


def test_all_shares_sum_to_a_whole(two: CompiledCivilisation) -> None:
    record = two.record[0]
    for name in ("employment", "taste", "public_share", "capital_share"):
        assert sum(int(value) for value in record[name]) == 2**63, name
    for line in record["mix"]:
        assert sum(int(value) for value in line) == 2**63


def test_jobs_by_skill_are_those_that_the_people_can_fill(two: CompiledCivilisation) -> None:
    record = two.record[0]
    by_skill = (record["employment"][:, None] / 2.0**63 * record["mix"] / 2.0**63).sum(axis=0)
    np.testing.assert_allclose(by_skill, [0.4, 0.35, 0.25], rtol=1e-6)
    pay = (record["mix"] / 2.0**63 * record["efficiency"]).sum(axis=1) / 256
    cost = floats([labour * x for labour, x in zip(two.account.production.labour, two.account.output, strict=True)])
    jobs = record["employment"] / 2.0**63
    np.testing.assert_allclose(jobs * pay / (jobs * pay).sum(), cost / cost.sum(), rtol=1e-6)


def test_a_household_of_mean_income_buys_the_accounts_goods_and_its_income_elasticities_are_engels(
    two: CompiledCivilisation,
) -> None:
    record, production = two.record[0], two.account.production
    taste, need = record["taste"] / 2.0**63, record["subsistence"].astype("f8")
    mean = float(two.account.consumption)
    bought = need + taste * (mean - need.sum())
    np.testing.assert_allclose(bought / mean, floats(production.consumption), atol=2e-4)
    richer = need + taste * (1.01 * mean - need.sum())
    wanted = bought > 0
    elasticity = (richer[wanted] / bought[wanted] - 1) / 0.01
    names = [good for good, any_bought in zip(GOODS, wanted, strict=True) if any_bought]
    assert elasticity[names.index("food")] < 0.6 < 1 < elasticity[names.index("services")]


def test_households_at_rest_spend_what_they_earn(two: CompiledCivilisation) -> None:
    record = two.record[0]
    savings, wealth = int(record["savings"]) / 2**32, int(record["wealth_propensity"]) / 2**32
    assert int(record["propensity"]) / 2**32 + wealth * (savings + 1) == pytest.approx(1, abs=1e-8)


def test_energy_without_fuel_burns_less_of_it_and_a_lot_holds_more() -> None:
    few, many = (
        compiled(climate__people_per_citizen="1"),
        compiled(climate__people_per_citizen="1", economy__energy__renewable="0.9"),
    )
    assert many.lands["fuel_use"][0] < 0.8 * few.lands["fuel_use"][0]
    assert many.record["lot"][0, ENERGY] > few.record["lot"][0, ENERGY]
    for form in (few, many):
        record = form.record[0]
        burnt = int(record["technology"][ENERGY][FUEL])
        primary = burnt + int(record["renewable"][ENERGY])
        assert int(record["lot"][ENERGY]) < 0.5 * primary


def own(**changes: Industry) -> EconomySection:
    """Goods made of labour alone, some otherwise."""
    plain = {good: Industry(labour=Decimal("0.5")) for good in GOODS}
    return EconomySection(technology=OwnTechnology(kind="own", industries=plain | changes))  # type: ignore[arg-type]


def test_goods_made_of_labour_alone_need_no_inputs_capital_or_investment() -> None:
    account = close_world(own(), [Government(debt=Decimal(0))], (Fraction(1),), PEOPLE)
    assert account.investment == 0
    assert account.production.inverse() == matrix([[int(i == j) for j in PLACES] for i in PLACES])
    assert (
        sum(account.output) == account.consumption + account.purchases == 2 * (account.mean("wages") * Fraction("1.07"))
    )


@pytest.mark.parametrize(
    ("section", "code", "path"),
    [
        (
            own(food=Industry(labour=Decimal("0.5"), inputs={"food": Decimal("1.1")})),
            "TECHNOLOGY_UNPRODUCTIVE",
            "economy.technology.industries",
        ),
        (
            own(food=Industry(labour=Decimal("0.5"), inputs={"materials": Decimal("0.5")})),
            "SCENARIO_INVALID",
            "economy.technology.industries.food",
        ),
        (
            EconomySection(technology=OwnTechnology(kind="own", industries={"food": Industry(labour=Decimal("0.5"))})),
            "SCENARIO_INVALID",
            "economy.technology.industries.fuel",
        ),
        (EconomySection(energy=Energy(efficiency=Decimal("0.01"))), "TECHNOLOGY_UNPRODUCTIVE", "economy.energy"),
    ],
)
def test_a_technology_that_cannot_work_is_refused(section: EconomySection, code: str, path: str) -> None:
    with pytest.raises(CivlabError) as caught:
        production_of(section)
    assert (caught.value.code, caught.value.path) == (code, path)


def test_fuel_and_energy_wait_for_each_other_alone_and_no_industry_for_its_own_good(two: CompiledCivilisation) -> None:
    critical = two.record[0]["critical"].astype(bool)
    names = [{GOODS[g] for g in np.flatnonzero(line)} for line in critical]
    goods = {"food", "fuel", "energy", "materials", "manufactures", "logistics"}
    assert names[GOODS.index("fuel")] == {"energy"}
    assert names[GOODS.index("energy")] == {"fuel"}
    for place, good in enumerate(GOODS):
        assert good in ("fuel", "energy") or names[place] == goods - {good}


def test_a_good_that_nobody_wants_need_not_be_made() -> None:
    demand = Demand(consumption={"food": Decimal(1)}, government={"food": Decimal(1)}, investment={"food": Decimal(1)})
    technology = OwnTechnology(kind="own", industries={"food": Industry(labour=Decimal("0.8"))})
    account = close_world(EconomySection(technology=technology, demand=demand), [Government()], (Fraction(1),), PEOPLE)
    assert [x > 0 for x in account.output] == [good == "food" for good in GOODS]


def test_a_government_that_hands_out_more_than_it_takes_is_named() -> None:
    poor = Government(income_tax=Decimal(0), sales_tax=Decimal(0), profit_tax=Decimal(0), contributions=Decimal(0))
    with pytest.raises(CivlabError) as caught:
        close_world(EconomySection(), [Government(), poor], (HALF, HALF), PEOPLE)
    assert (caught.value.code, caught.value.path) == ("SCENARIO_INVALID", "world.nations.1.government")


def test_too_many_people_for_the_worlds_emissions_are_refused() -> None:
    with pytest.raises(CivlabError) as caught:
        compiled(climate__people_per_citizen="10000000")
    assert caught.value.path == "climate.people_per_citizen"


def test_the_digest_names_the_scenario_and_the_compiled_form_is_read_only(two: CompiledCivilisation) -> None:
    other = compiled(economy__prices__speed="0.2")
    assert other.digest != two.digest
    assert compiled() is two
    with pytest.raises(ValueError, match="read-only"):
        two.record["wage"] = 1
    with pytest.raises(TypeError):
        compile_civilisation(parse_scenario(builtin_scenario("exchange")))


SHARE = st.decimals("0", "0.9", places=2)


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.lists(st.decimals("0", "0.09", places=3), min_size=9, max_size=9), min_size=9, max_size=9),
    labour=st.lists(st.decimals("0.05", "0.15", places=3), min_size=9, max_size=9),
    wear=st.decimals("0", "0.1", places=3),
    rates=st.lists(SHARE, min_size=3, max_size=3),
    share=st.integers(1, 99),
)
def test_any_technology_and_taxes_give_a_balanced_account_or_a_reason(
    rows: list[list[Decimal]], labour: list[Decimal], wear: Decimal, rates: list[Decimal], share: int
) -> None:
    industries = {
        good: Industry(inputs=dict(zip(GOODS, row, strict=True)), labour=cost, capital=Decimal(1), wear=wear)
        for good, row, cost in zip(GOODS, rows, labour, strict=True)
    }
    section = EconomySection(technology=OwnTechnology(kind="own", industries=industries))
    governments = [Government(income_tax=rates[0], profit_tax=rates[1], sales_tax=rates[2]), Government()]
    account = closed_or_fault(section, governments, (Fraction(share, 100), 1 - Fraction(share, 100)))
    if isinstance(account, CivlabError):
        assert account.code == "SCENARIO_INVALID"
        assert account.path
        return
    accounts = social_accounts(account, 10_000)
    assert accounts.received() == accounts.paid()
    assert min(account.output) > 0


def closed_or_fault(
    section: EconomySection, governments: list[Government], shares: tuple[Fraction, Fraction]
) -> WorldAccount | CivlabError:
    """The account, or why there is none."""
    try:
        return close_world(section, governments, shares, PEOPLE)
    except CivlabError as fault:
        return fault


NUMBERS = parameters(parse_scenario(TWO))


def number_within(data: st.DataObject, known: Parameter) -> str:
    """A number within the bounds of a parameter, often at one of them."""
    low = Decimal(0) if known.minimum is None else known.minimum
    high = Decimal(1) if known.maximum is None else known.maximum
    value = low + (high - low) * data.draw(st.sampled_from([Decimal(0), Decimal("0.001"), Decimal("0.5"), Decimal(1)]))
    return str(int(value)) if known.kind == "integer" else format(value.normalize(), "f")


@pytest.mark.long
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_any_numbers_within_their_bounds_compile_or_are_refused_with_a_path(data: st.DataObject) -> None:
    paths = data.draw(st.lists(st.sampled_from(sorted(NUMBERS)), min_size=1, max_size=4, unique=True))
    found = compiled_or_fault({path: number_within(data, NUMBERS[path]) for path in paths})
    if isinstance(found, CompiledCivilisation):
        assert sum(int(value) for value in found.record[0]["employment"]) == 2**63
    else:
        assert found.path


def compiled_or_fault(values: dict[str, str]) -> CompiledCivilisation | CivlabError | ScenarioError:
    """The compiled form of the builtin with these numbers, or why there is none."""
    try:
        return compile_civilisation(override(parse_scenario(TWO), values))
    except (CivlabError, ScenarioError) as fault:
        return fault


@given(st.lists(st.integers(0, 1000), min_size=len(GOODS), max_size=len(GOODS)).filter(any))
def test_elasticities_average_one_and_leave_no_good_with_less_than_no_subsistence(weights: list[int]) -> None:
    """Engel's aggregation: the elasticities' mean by shares in spending is one (Deaton and Muellbauer 1980, 1.2)."""
    shares = [Fraction(weight, sum(weights)) for weight in weights]
    found = elasticities(shares)
    assert sum(share * value for share, value in zip(shares, found, strict=True)) == 1
    assert all(0 < value <= -FRISCH for value in found)
    for first, second in itertools.combinations(range(len(GOODS)), 2):
        if max(found[first], found[second]) < -FRISCH:
            ratio = Fraction(ELASTICITY[first]) / Fraction(ELASTICITY[second])
            assert found[first] / found[second] == ratio


def test_a_world_that_buys_little_but_food_and_energy_compiles() -> None:
    shares = {"food": Decimal("0.62"), "energy": Decimal("0.37"), "manufactures": Decimal("0.01")}
    economy = EconomySection(demand=Demand.model_validate({"consumption": shares}))
    form = compile_civilisation(parse_scenario(TWO).model_copy(update={"economy": economy}))
    assert form.record["subsistence"].min() >= 0


def test_a_good_of_ones_own_is_kept_and_perishes_as_the_scenario_says_and_others_as_by_default() -> None:
    labour = Decimal("0.8")
    changes = {
        "services": Industry(labour=labour, cover=Decimal(0), perish=Decimal(1)),
        "food": Industry(labour=labour, cover=Decimal(4)),
    }
    usual = {"cover": COVER, "perish": PERISH}
    changed = {"cover": {"services": "0", "food": "4"}, "perish": {"services": "1"}}
    for name, texts in usual.items():
        expected = [Decimal(changed[name].get(good, text)) for good, text in zip(GOODS, texts, strict=True)]
        assert of_industries(own(**changes), name, texts) == expected
        assert of_industries(EconomySection(), name, texts) == [Decimal(text) for text in texts]
