/* Energy balance of three layers with an efficacy of deep-ocean uptake, discretised exactly.
 *
 * C1 T1' = F - k1 T1 - k2 (T1 - T2); C2 T2' = k2 (T1 - T2) - e k3 (T2 - T3); C3 T3' = k3 (T2 - T3). Forcing F reaches the
 * layers through a first-order lag of rate gamma. Cummins, Stephenson and Stott (2020), Journal of Climate 33,
 * 7909-7926, equations 13-17, with its noise left out; Geoffroy et al. (2013). Over a step with constant forcing the
 * solution is exp(A) x + (integral of exp(A s)) b F, both from one exponential of a bordered matrix. */
#ifndef CIVLAB_CLIMATE_ENERGY_BALANCE_H
#define CIVLAB_CLIMATE_ENERGY_BALANCE_H
#include "civlab.h"

#define LAYERS 3u
#define HEAT_STATES 4u /* the lagged forcing (W m-2), then the layers' temperatures (K) */
#define BORDERED 5u
#define TAYLOR_TERMS 18

struct EnergyBalance {
    double capacity[LAYERS]; /* W yr m-2 K-1 */
    double transfer[LAYERS]; /* W m-2 K-1: feedback, then between layers */
    double efficacy;
    double gamma;            /* 1/yr */
};

/* The step: row 0 is only the lag's decay; a layer's row holds the shares of the lagged forcing and of the layers. */
struct HeatResponse {
    double lag;
    double layer[LAYERS][HEAT_STATES];
    double forcing[HEAT_STATES];
};

FN void bordered_product(const double a[BORDERED][BORDERED], const double b[BORDERED][BORDERED],
                         double out[BORDERED][BORDERED]) {
    for (u32 i = 0; i < BORDERED; i++)
        for (u32 j = 0; j < BORDERED; j++) {
            double sum = 0.0;
            for (u32 k = 0; k < BORDERED; k++) sum = sum + a[i][k] * b[k][j];
            out[i][j] = sum;
        }
}

FN void bordered_copy(double to[BORDERED][BORDERED], const double from[BORDERED][BORDERED]) {
    for (u32 i = 0; i < BORDERED; i++)
        for (u32 j = 0; j < BORDERED; j++) to[i][j] = from[i][j];
}

/* exp(m) in place: halved until its norm is below one half, a Taylor series, squared back. */
PART void bordered_exponential(double m[BORDERED][BORDERED]) {
    double norm = 0.0, factor = 1.0, term[BORDERED][BORDERED], sum[BORDERED][BORDERED], next[BORDERED][BORDERED];
    u32 halvings = 0;
    for (u32 i = 0; i < BORDERED; i++) {
        double row = 0.0;
        for (u32 j = 0; j < BORDERED; j++) row = row + (m[i][j] < 0.0 ? -m[i][j] : m[i][j]);
        if (row > norm) norm = row;
    }
    while (norm * factor > 0.5 && halvings < 60) {
        factor = factor * 0.5;
        halvings++;
    }
    for (u32 i = 0; i < BORDERED; i++)
        for (u32 j = 0; j < BORDERED; j++) {
            m[i][j] = m[i][j] * factor;
            term[i][j] = sum[i][j] = i == j ? 1.0 : 0.0;
        }
    for (u32 n = 1; n <= TAYLOR_TERMS; n++) {
        bordered_product(term, m, next);
        for (u32 i = 0; i < BORDERED; i++)
            for (u32 j = 0; j < BORDERED; j++) {
                term[i][j] = next[i][j] / (double)n;
                sum[i][j] = sum[i][j] + term[i][j];
            }
    }
    for (; halvings > 0; halvings--) {
        bordered_product(sum, sum, next);
        bordered_copy(sum, next);
    }
    bordered_copy(m, sum);
}

/* The step of `years`. */
FN void heat_response(const struct EnergyBalance *e, double years, struct HeatResponse *r) {
    double m[BORDERED][BORDERED] = {{0.0}};
    m[0][0] = -e->gamma * years;
    m[0][4] = e->gamma * years;
    m[1][0] = years / e->capacity[0];
    m[1][1] = -(e->transfer[0] + e->transfer[1]) * years / e->capacity[0];
    m[1][2] = e->transfer[1] * years / e->capacity[0];
    m[2][1] = e->transfer[1] * years / e->capacity[1];
    m[2][2] = -(e->transfer[1] + e->efficacy * e->transfer[2]) * years / e->capacity[1];
    m[2][3] = e->efficacy * e->transfer[2] * years / e->capacity[1];
    m[3][2] = e->transfer[2] * years / e->capacity[2];
    m[3][3] = -e->transfer[2] * years / e->capacity[2];
    bordered_exponential(m);
    r->lag = m[0][0];
    for (u32 i = 0; i < LAYERS; i++)
        for (u32 j = 0; j < HEAT_STATES; j++) r->layer[i][j] = m[i + 1][j];
    for (u32 i = 0; i < HEAT_STATES; i++) r->forcing[i] = m[i][4];
}

/* One step of the state under this forcing (W m-2). */
FN void heat_step(double state[HEAT_STATES], const struct HeatResponse *r, double forcing) {
    double next[HEAT_STATES];
    next[0] = r->lag * state[0] + r->forcing[0] * forcing;
    for (u32 i = 0; i < LAYERS; i++)
        next[i + 1] = r->layer[i][0] * state[0] + r->layer[i][1] * state[1] + r->layer[i][2] * state[2] +
                      r->layer[i][3] * state[3] + r->forcing[i + 1] * forcing;
    for (u32 i = 0; i < HEAT_STATES; i++) state[i] = next[i];
}

/* Net flux into the planet (W m-2) at a state. */
FN double heat_imbalance(double feedback, double efficacy, double deep_transfer, const double state[HEAT_STATES],
                         double forcing) {
    return forcing - feedback * state[1] + (1.0 - efficacy) * deep_transfer * (state[2] - state[3]);
}

#endif
