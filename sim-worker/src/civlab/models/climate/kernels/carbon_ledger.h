/* Carbon as it is counted: whole kilograms that are moved, never made.
 *
 * The physics is f64 and the ledger follows it: what is airborne by the physics, rounded half to even to kilograms, is the
 * ledger's atmosphere; emissions are rounded once as they are posted; and what land and sea took up is the rest. So the
 * ledger never drifts from the physics by more than half a kilogram, and emitted = airborne + taken up holds exactly. */
#ifndef CIVLAB_CLIMATE_CARBON_LEDGER_H
#define CIVLAB_CLIMATE_CARBON_LEDGER_H
#include "civlab.h"

#define KG_CARBON_A_GT_CO2 (12.011e12 / 44.009)
#define KG_CARBON_A_GTC 1e12
#define NEAREST 0x1.8p52

/* Half to even, |x| < 2^62; |x| >= 2^53 is whole already. No branch: two halves of 32 bits. */
FN i64 whole_half_even(double x) {
    const double high = (x * 0x1p-32 + NEAREST) - NEAREST;
    const double low = x - high * 0x1p32;
    const u64 zero = bits_of(NEAREST);
    return (i64)(((bits_of(high + NEAREST) - zero) << 32) + (bits_of(low + NEAREST) - zero));
}

struct CarbonLedger {
    i64 emitted;    /* kg C since the start, removals taken off */
    i64 atmosphere; /* kg C above the start */
    i64 sinks;      /* kg C taken up by land and sea since the start */
};

/* Posts a step: `emission` kg into the air, then to the sinks what is above `airborne`; both sides of both. */
FN void post_carbon(struct CarbonLedger *l, i64 emission, i64 airborne) {
    const i64 uptake = (i64)((u64)l->atmosphere + (u64)emission - (u64)airborne);
    l->emitted = (i64)((u64)l->emitted + (u64)emission);
    l->atmosphere = (i64)((u64)l->atmosphere + (u64)emission - (u64)uptake);
    l->sinks = (i64)((u64)l->sinks + (u64)uptake);
}

FN int carbon_is_conserved(const struct CarbonLedger *l) {
    return (u64)l->emitted == (u64)l->atmosphere + (u64)l->sinks;
}

#endif
