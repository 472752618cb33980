/* The C subset in which every kernel is written, for a C compiler (CPU, threads) and for NVRTC (CUDA).
 *
 * A kernel is a static function that works on one tile (at most 4,096 consecutive agents of one member)
 * or on one member; TILE_KERNEL and MEMBER_KERNEL wrap it for both worlds. On a CPU a tile belongs to one
 * thread (lane 0 of 1); on a GPU to one block, whose threads stride over it. State is integers, or f64
 * restricted to + - * / and comparisons; the returned value of an atomic is never used, so that no result
 * depends on the order in which threads arrive. */
#ifndef CIVLAB_H
#define CIVLAB_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;
typedef unsigned __int128 u128;

#define CLAIM_NONE 0xffffffffffffffffull

#if defined(__CUDACC__) || defined(__CUDACC_RTC__)

#define CIVLAB_STATIC_ASSERT(condition, text) static_assert(condition, text)
#define FN static __device__ __forceinline__
#define PART static __device__ __noinline__ /* a large function with several callers */

#define TILE_KERNEL(name)                                                            \
    extern "C" __global__ void name(const struct World world, u32 tick, u32 count) { \
        if (blockIdx.x < count) name##_tile(&world, tick, blockIdx.x, threadIdx.x, blockDim.x); \
    }
#define MEMBER_KERNEL(name)                                                          \
    extern "C" __global__ void name(const struct World world, u32 tick, u32 count) { \
        const u32 member = blockIdx.x * blockDim.x + threadIdx.x;                    \
        if (member < count) name##_member(&world, tick, member);                     \
    }

/* Sum over the 32 lanes of a warp; every lane of the warp must arrive. */
FN u64 warp_sum(u64 value) {
    for (int distance = 16; distance > 0; distance >>= 1)
        value += __shfl_xor_sync(0xffffffffu, value, distance);
    return value;
}

FN double square_root(double x) { return sqrt(x); }
FN u64 bits_of(double x) { return (u64)__double_as_longlong(x); }
FN double of_bits(u64 bits) { return __longlong_as_double((long long)bits); }
FN u32 leading_zeros(u64 x) { return (u32)__clzll((long long)x); } /* x > 0 */

/* Adds the sum of all lanes' values to *cell; to be called by every lane of a tile, outside branches. */
FN void flush_add(u64 *cell, u64 value) {
    value = warp_sum(value);
    if ((threadIdx.x & 31u) == 0 && value) atomicAdd(cell, value);
}
FN void flush_add32(u32 *cell, u32 value) {
    const u32 sum = (u32)warp_sum(value);
    if ((threadIdx.x & 31u) == 0 && sum) atomicAdd(cell, sum);
}
FN void shared_add32(u32 *cell, u32 value) { atomicAdd(cell, value); }
FN void shared_min(u64 *cell, u64 value) { atomicMin(cell, value); }
FN void shared_max(u64 *cell, u64 value) { atomicMax(cell, value); }
FN void shared_mark(u8 *cell) { *cell = 1; }
FN void will_write(const void *cell) { (void)cell; } /* other threads hide the wait */
FN void will_read(const void *cell) { (void)cell; }

#else /* a C compiler */

#define CIVLAB_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#define FN static inline __attribute__((unused))
#define PART static __attribute__((noinline))

/* Tests build a library whose tiles are walked by several lanes in turn, to hold what a GPU's threads do to the
 * same digests where there is no GPU. */
#if defined(CIVLAB_LANES)
#define TILE_LANES CIVLAB_LANES
#else
#define TILE_LANES 1u
#endif

struct World;
typedef void (*Body)(const struct World *world, u32 tick, u32 i);
/* Runs so many bodies, one after the other, for every i < count on so many threads, in chunks taken as threads come
 * free. A kernel's body is name_one; name is one kernel by itself. */
void civlab_team_run(const Body *bodies, int number, const struct World *world, u32 tick, u32 count, u32 chunk, int threads);

#define TILES_AT_ONCE 4u
#define MEMBERS_AT_ONCE 64u

#define TILE_KERNEL(name)                                                                               \
    void name##_one(const struct World *world, u32 tick, u32 tile) {                                    \
        for (u32 lane = 0; lane < TILE_LANES; lane++) name##_tile(world, tick, tile, lane, TILE_LANES); \
    }                                                                                                   \
    void name(const struct World *world, u32 tick, u32 count, int threads) {                            \
        const Body body = name##_one;                                                                   \
        civlab_team_run(&body, 1, world, tick, count, TILES_AT_ONCE, threads);                          \
    }
#define MEMBER_KERNEL(name)                                                                                        \
    void name##_one(const struct World *world, u32 tick, u32 member) { name##_member(world, tick, member); }       \
    void name(const struct World *world, u32 tick, u32 count, int threads) {                                       \
        const Body body = name##_one;                                                                              \
        civlab_team_run(&body, 1, world, tick, count, MEMBERS_AT_ONCE, threads);                                   \
    }

FN double square_root(double x) { return __builtin_sqrt(x); }
FN u64 bits_of(double x) {
    union {
        double value;
        u64 bits;
    } same = {.value = x};
    return same.bits;
}
FN double of_bits(u64 bits) {
    union {
        u64 bits;
        double value;
    } same = {.bits = bits};
    return same.value;
}
FN u32 leading_zeros(u64 x) { return (u32)__builtin_clzll(x); } /* x > 0 */
FN void flush_add(u64 *cell, u64 value) {
    if (value) __atomic_fetch_add(cell, value, __ATOMIC_RELAXED);
}
FN void flush_add32(u32 *cell, u32 value) {
    if (value) __atomic_fetch_add(cell, value, __ATOMIC_RELAXED);
}
FN void shared_add32(u32 *cell, u32 value) { __atomic_fetch_add(cell, value, __ATOMIC_RELAXED); }
FN void shared_min(u64 *cell, u64 value) {
    u64 seen = __atomic_load_n(cell, __ATOMIC_RELAXED);
    while (value < seen &&
           !__atomic_compare_exchange_n(cell, &seen, value, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}
FN void shared_max(u64 *cell, u64 value) {
    u64 seen = __atomic_load_n(cell, __ATOMIC_RELAXED);
    while (value > seen &&
           !__atomic_compare_exchange_n(cell, &seen, value, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}
/* Asks for a cell ahead of time; it changes no result. */
FN void will_write(const void *cell) { __builtin_prefetch(cell, 1); }
FN void will_read(const void *cell) { __builtin_prefetch(cell, 0); }
/* Every thread that marks a cell writes the same value, so no read-modify-write is needed. */
FN void shared_mark(u8 *cell) { __atomic_store_n(cell, 1, __ATOMIC_RELAXED); }

#endif

#if defined(__CUDACC__) || defined(__CUDACC_RTC__) || defined(CIVLAB_LANES)

/* Work that one lane does by one walk in order is shared out among the lanes otherwise, to the same result. */
#define MANY_LANES 1

/* A lane takes every so-maniest agent, one at a time: other lanes hide its waits. */
#define BATCH 1u

/* Visits each index in [begin, end) at which column[index] == value. */
#define SCAN_EQUAL(type, column, value, index, begin, end)                        \
    for (u32 index = (begin) + lane; index < (end); index += lanes)               \
        if ((column)[index] == (type)(value))

/* How many cells of [begin, end) hold each value below 8, as far as this lane walks them. */
FN void count_values(const u8 *column, u32 begin, u32 end, u32 lane, u32 lanes, u32 counts[8]) {
    for (u32 value = 0; value < 8; value++) counts[value] = 0;
    for (u32 i = begin + lane; i < end; i += lanes)
        for (u32 value = 0; value < 8; value++) counts[value] += column[i] == value;
}

#else

#define MANY_LANES 0

/* The one lane of a CPU takes agents in hand by the batch: enough for vectors, and for loads to overlap. */
#define BATCH 32u

/* Columns are padded to whole runs of 64 and tiles begin on one, so a run may be read beyond `end`. A run's
 * matches become one mask by a few vector instructions: a run without a match costs one branch, and no branch
 * has to guess at each element. */
#if defined(__SSE2__)
typedef char Bytes __attribute__((vector_size(16), aligned(1), may_alias));
typedef short Shorts __attribute__((vector_size(16), aligned(1), may_alias));
FN u32 matches_of_16_u8(const u8 *part, u8 value) {
    return (u32)__builtin_ia32_pmovmskb128(*(const Bytes *)part == (char)value);
}
FN u32 matches_of_16_u16(const u16 *part, u16 value) {
    const Shorts low = *(const Shorts *)part == (short)value, high = *(const Shorts *)(part + 8) == (short)value;
    return (u32)__builtin_ia32_pmovmskb128(__builtin_ia32_packsswb128(low, high));
}
#define CIVLAB_MATCHES(type)                                             \
    FN u64 matches_##type(const type *run, type value) {                 \
        u64 mask = 0;                                                    \
        for (u32 i = 0; i < 64; i += 16)                                 \
            mask |= (u64)matches_of_16_##type(run + i, value) << i;      \
        return mask;                                                     \
    }
#else
#define CIVLAB_MATCHES(type)                                             \
    FN u64 matches_##type(const type *run, type value) {                 \
        type found = 0;                                                  \
        u64 mask = 0;                                                    \
        for (u32 i = 0; i < 64; i++) found |= (type)(run[i] == value);   \
        if (found)                                                       \
            for (u32 i = 0; i < 64; i++) mask |= (u64)(run[i] == value) << i; \
        return mask;                                                     \
    }
#endif
CIVLAB_MATCHES(u8)
CIVLAB_MATCHES(u16)

/* Whether any of a run's 64 cells holds the value: cheaper than their mask. */
FN int any_matches_u8(const u8 *run, u8 value) {
#if defined(__SSE2__)
    const Bytes *parts = (const Bytes *)run;
    Bytes found = parts[0] == (char)value;
    for (u32 i = 1; i < 4; i++) found |= parts[i] == (char)value;
    return __builtin_ia32_pmovmskb128(found) != 0;
#else
    u8 found = 0;
    for (u32 i = 0; i < 64; i++) found |= (u8)(run[i] == value);
    return found;
#endif
}

FN u64 first_bits(u32 count) { return count < 64 ? ((u64)1 << count) - 1 : ~(u64)0; }
FN u32 lowest_bit(u64 mask) { return (u32)__builtin_ctzll(mask); }

#define SCAN_EQUAL(type, column, value, index, begin, end)                                                  \
    for (u32 run_ = (begin), index = 0; run_ < (end); run_ += 64)                                           \
        for (u64 left_ = matches_##type((column) + run_, (type)(value)) & first_bits((end)-run_);           \
             left_ != 0 && (index = run_ + lowest_bit(left_), 1); left_ &= left_ - 1)

/* Thirty-two bytes at once, as the compiler's own vectors: a comparison gives 255 where it holds. */
typedef u8 ThirtyTwo __attribute__((vector_size(32), aligned(1), may_alias));

/* How many cells of [begin, end) hold each value below 8, in one pass; counted in bytes, emptied before they
 * can overflow. */
FN void count_values(const u8 *column, u32 begin, u32 end, u32 lane, u32 lanes, u32 counts[8]) {
    u32 at = begin;
    (void)lane, (void)lanes;
    for (u32 value = 0; value < 8; value++) counts[value] = 0;
    while (at + 32 <= end) {
        const u32 stop = end - at > 32 * 255 ? at + 32 * 255 : end;
        ThirtyTwo by_place[8] = {{0}};
        for (; at + 32 <= stop; at += 32) {
            const ThirtyTwo run = *(const ThirtyTwo *)(column + at);
            for (u32 value = 0; value < 8; value++) by_place[value] -= (ThirtyTwo)(run == (u8)value);
        }
        for (u32 value = 0; value < 8; value++)
            for (u32 i = 0; i < 32; i++) counts[value] += by_place[value][i];
    }
    for (; at < end; at++)
        if (column[at] < 8) counts[column[at]]++;
}

#endif
#endif
