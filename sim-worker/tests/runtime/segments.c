/* Kernels around sort.h, share.h and wide.h for columns in ragged segments, with no model behind them: what a model
 * writes to use these headers, and what the tests and the benchmark run. */
#include "share.h"
#include "sort.h"

struct World {
    void *key[2];
    u32 *item[2];
    u32 *sort_count, *sort_base, *sort_pass;
    u64 *weight, *share, *sharing, *total;  /* total: 2 per segment, low limb first */
    u64 *value, *value_sum, *value_total;   /* 2 per slot; 4 per segment; 2 per segment */
    u64 *fault;                             /* per segment */
    u32 *tile_segment, *tile_begin, *tile_end;
    u32 *segment_first, *segment_length, *segment_tile, *segment_tiles;
    u32 width, passes, rations;
};

FN struct Sort sort_of(const struct World *w) {
    struct Sort s;
    for (u32 i = 0; i < 2; i++) s.key[i] = w->key[i], s.item[i] = w->item[i];
    s.count = w->sort_count, s.base = w->sort_base, s.pass = w->sort_pass;
    s.width = w->width, s.passes = w->passes;
    return s;
}

FN struct Sharing *sharing_of(const struct World *w, u32 segment) {
    return (struct Sharing *)(w->sharing + (u64)segment * SHARING_WORDS);
}

FN void probe_count_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Sort s = sort_of(w);
    (void)tick;
    sort_count(&s, w->tile_segment[tile], tile, w->tile_begin[tile], w->tile_end[tile], lane, lanes);
}
TILE_KERNEL(probe_count)

FN void probe_rank_tile(const struct World *w, u32 tick, u32 segment, u32 lane, u32 lanes) {
    const struct Sort s = sort_of(w);
    (void)tick;
    sort_rank(&s, segment, w->segment_tile[segment], w->segment_tiles[segment], lane, lanes);
}
TILE_KERNEL(probe_rank)

FN void probe_base_member(const struct World *w, u32 tick, u32 segment) {
    const struct Sort s = sort_of(w);
    (void)tick;
    sort_base(&s, segment, w->segment_first[segment]);
}
MEMBER_KERNEL(probe_base)

FN void probe_scatter_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Sort s = sort_of(w);
    (void)tick;
    sort_scatter(&s, w->tile_segment[tile], tile, w->tile_begin[tile], w->tile_end[tile], lane, lanes);
}
TILE_KERNEL(probe_scatter)

FN void *slot_of(void *key, u32 slot, u32 width) { return (u8 *)key + (u64)slot * width; }

FN void probe_small_tile(const struct World *w, u32 tick, u32 segment, u32 lane, u32 lanes) {
    const u32 first = w->segment_first[segment], length = w->segment_length[segment];
    (void)tick;
    sort_small(slot_of(w->key[0], first, w->width), w->item[0] + first, length, w->width,
               slot_of(w->key[1], first, w->width), w->item[1] + first, lane, lanes);
}
TILE_KERNEL(probe_small)

FN void probe_weigh_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    (void)tick;
    share_weigh(sharing_of(w, w->tile_segment[tile]), w->weight, w->tile_begin[tile], w->tile_end[tile], lane, lanes);
}
TILE_KERNEL(probe_weigh)

FN void probe_open_member(const struct World *w, u32 tick, u32 segment) {
    const u128 total = ((u128)w->total[2 * (u64)segment + 1] << 64) | w->total[2 * (u64)segment];
    struct Sharing *s = sharing_of(w, segment);
    (void)tick;
    if (w->rations) ration_open(s, total, w->segment_first[segment], w->segment_length[segment]);
    else share_open(s, total, w->segment_first[segment], w->segment_length[segment]);
}
MEMBER_KERNEL(probe_open)

FN void probe_floor_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    struct Sharing *s = sharing_of(w, w->tile_segment[tile]);
    (void)tick;
    share_floor(s, w->weight, w->share, w->tile_begin[tile], w->tile_end[tile], lane, lanes);
}
TILE_KERNEL(probe_floor)

FN void probe_aim_member(const struct World *w, u32 tick, u32 segment) {
    (void)tick;
    share_aim(sharing_of(w, segment));
}
MEMBER_KERNEL(probe_aim)

FN void probe_digits_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    struct Sharing *s = sharing_of(w, w->tile_segment[tile]);
    (void)tick;
    share_count(s, w->weight, w->tile_begin[tile], w->tile_end[tile], lane, lanes);
}
TILE_KERNEL(probe_digits)

FN void probe_select_member(const struct World *w, u32 tick, u32 segment) {
    (void)tick;
    share_select(sharing_of(w, segment));
}
MEMBER_KERNEL(probe_select)

FN void probe_award_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Sharing *s = sharing_of(w, w->tile_segment[tile]);
    (void)tick;
    share_award(s, w->weight, w->share, w->tile_begin[tile], w->tile_end[tile], lane, lanes);
}
TILE_KERNEL(probe_award)

FN void probe_verdict_member(const struct World *w, u32 tick, u32 segment) {
    raise_fault(w->fault + segment, tick, sharing_failed(sharing_of(w, segment)));
}
MEMBER_KERNEL(probe_verdict)

FN void probe_add_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const u32 segment = w->tile_segment[tile];
    u32 fault = 0;
    i128 sum = 0;
    for (u32 slot = w->tile_begin[tile] + lane; slot < w->tile_end[tile]; slot += lanes) {
        const u64 *limbs = w->value + 2 * (u64)slot;
        sum = checked_add_i128(sum, (i128)(((u128)limbs[1] << 64) | limbs[0]), 9, &fault);
    }
    wide_flush((struct WideSum *)(w->value_sum + 4 * (u64)segment), sum);
    raise_fault(w->fault + segment, tick, fault);
}
TILE_KERNEL(probe_add)

FN void probe_total_member(const struct World *w, u32 tick, u32 segment) {
    struct WideSum *sum = (struct WideSum *)(w->value_sum + 4 * (u64)segment);
    i128 total = 0;
    if (wide_sum_overflows(sum, &total)) raise_fault(w->fault + segment, tick, 8);
    wide_sum_clear(sum);
    const struct Wide limbs = wide_of(total);
    w->value_total[2 * (u64)segment] = limbs.low, w->value_total[2 * (u64)segment + 1] = (u64)limbs.high;
}
MEMBER_KERNEL(probe_total)
