/* Plain functions around the climate's headers, so that tests can hold each equation to its source. */
#include "carbon_ledger.h"
#include "damages.h"
#include "dice.h"
#include "energy_balance.h"
#include "forcing.h"
#include "gases.h"
#include "sea_level.h"
#include "tipping.h"

/* x after `steps` steps of `scaled` under constant c. */
double probe_fold(double x, double c, double scaled, u32 steps) {
    for (u32 i = 0; i < steps; i++) x = fold_step(x, c, scaled);
    return x;
}

/* The share of a one-year pulse that is still airborne after each of `years` years, at alpha = 1. */
void probe_pulse(const double *partition, const double *lifetime, u32 years, double *airborne) {
    struct GasConstants g = {0};
    double box[CO2_BOXES] = {0};
    for (u32 i = 0; i < CO2_BOXES; i++) g.partition[i] = partition[i], g.lifetime[i] = lifetime[i];
    for (u32 year = 0; year < years; year++) airborne[year] = carbon_step(box, &g, 1.0, year == 0 ? 1.0 : 0.0, 1.0);
}

/* Surface temperature under a series of forcings, in steps of `years`. `numbers`: capacities, transfers, efficacy, gamma. */
void probe_heat(const double *numbers, double years, const double *forcing, u32 count, double *surface) {
    const struct EnergyBalance e = {
        {numbers[0], numbers[1], numbers[2]}, {numbers[3], numbers[4], numbers[5]}, numbers[6], numbers[7]};
    struct HeatResponse r;
    double state[HEAT_STATES] = {0};
    heat_response(&e, years, &r);
    for (u32 i = 0; i < count; i++) {
        heat_step(state, &r, forcing[i]);
        surface[i] = state[1];
    }
}

/* The response itself: row by row, then the forcing's column. */
void probe_response(const double *numbers, double years, double *out) {
    const struct EnergyBalance e = {
        {numbers[0], numbers[1], numbers[2]}, {numbers[3], numbers[4], numbers[5]}, numbers[6], numbers[7]};
    struct HeatResponse r;
    heat_response(&e, years, &r);
    out[0] = r.lag;
    for (u32 i = 0; i < LAYERS; i++)
        for (u32 j = 0; j < HEAT_STATES; j++) out[1 + i * HEAT_STATES + j] = r.layer[i][j];
    for (u32 i = 0; i < HEAT_STATES; i++) out[1 + LAYERS * HEAT_STATES + i] = r.forcing[i];
}

/* DICE's surface temperature under twice the carbon of equilibrium, held, after each period. */
void probe_dice_doubled(u32 periods, double *surface) {
    struct DiceState s = {2.0 * DICE_EQUILIBRIUM, 0.0, 0.0, 0.0, 0.0};
    for (u32 i = 0; i < periods; i++) {
        const double kept = s.air * (1.0 - DICE_B12) + s.upper * DICE_B21;
        dice_step(&s, 3.1, (2.0 * DICE_EQUILIBRIUM - kept) * DICE_CO2_TO_C / DICE_YEARS, 0.0);
        surface[i] = s.surface;
    }
}

i64 probe_whole(double x) { return whole_half_even(x); }
double probe_damage(double quadratic, double steep, double warming) {
    const struct DamageLaw law = {quadratic, steep};
    return damage_share(&law, warming);
}
double probe_sea(double rate, double rapid, double rest, double before, double after, double years) {
    const struct SeaLevelLaw law = {rate, rapid, rest};
    return sea_level_rise(&law, before, after, years);
}
void probe_forcing(const double *concentrations, double *out) {
    const struct ForcingReference r = {277.15, 731.41, 273.87, square_root(731.41), square_root(273.87)};
    const struct Forcing f = gas_forcing(&r, concentrations[0], concentrations[1], concentrations[2]);
    out[0] = f.co2, out[1] = f.ch4, out[2] = f.n2o;
}
