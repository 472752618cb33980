/* The team of threads that runs a kernel's tiles on a CPU.
 *
 * It is our own hundred lines rather than OpenMP so that the wheel needs nothing but libc and waiting threads
 * soon sleep instead of spinning. Which thread takes which chunk is left to chance: no result depends on it. */
#include "civlab.h"
#include <pthread.h>

#define MOST_THREADS 256

#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#else
#define PAUSE() __asm__ volatile("yield")
#endif

struct Job {
    const Body *bodies; /* run one after the other for each index */
    const struct World *world;
    u32 tick, chunk;
    int count, threads; /* of bodies, of threads */
};

static pthread_mutex_t one_job = PTHREAD_MUTEX_INITIALIZER; /* held by the caller for the whole job */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;    /* guards what follows */
static pthread_cond_t begin = PTHREAD_COND_INITIALIZER, end = PTHREAD_COND_INITIALIZER;
static struct Job job;
static u64 job_number;
static int team_size, wanted, working; /* helpers there are, that may join the job, that have joined it */

/* One thread's share of the indices, on a cache line of its own. */
static struct Share {
    _Alignas(64) u32 next;
    u32 stop;
} shares[MOST_THREADS];

/* Takes chunks of its own share, then of the others'. A thread thus meets the same tiles in every phase, whose
 * columns are then in its cache; who takes the rest is left to chance. */
static void work(const struct Job *mine, int me) {
    for (int k = 0; k < mine->threads; k++) {
        struct Share *share = shares + (me + k) % mine->threads;
        for (;;) {
            const u32 from = __atomic_fetch_add(&share->next, mine->chunk, __ATOMIC_RELAXED);
            if (from >= share->stop) break;
            const u32 to = share->stop - from < mine->chunk ? share->stop : from + mine->chunk;
            for (u32 i = from; i < to; i++)
                for (int b = 0; b < mine->count; b++) mine->bodies[b](mine->world, mine->tick, i);
        }
    }
}

/* Looks for the next job for some microseconds before sleeping: phases follow each other closely, and to wake a
 * sleeper takes longer than many a phase. */
static void await_briefly(u64 done) {
    for (int look = 0; look < 1000; look++) {
        if (__atomic_load_n(&job_number, __ATOMIC_RELAXED) != done) return;
        PAUSE();
    }
}

static void *member_of_team(void *number) {
    const int me = (int)(long)number;
    u64 done = 0;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (job_number == done) pthread_cond_wait(&begin, &lock);
        done = job_number;
        if (me < wanted) {
            const struct Job mine = job;
            working++;
            pthread_mutex_unlock(&lock);
            work(&mine, me + 1);
            pthread_mutex_lock(&lock);
            if (--working == 0) pthread_cond_signal(&end);
        }
        pthread_mutex_unlock(&lock);
        await_briefly(done);
        pthread_mutex_lock(&lock);
    }
    return 0;
}

/* After a fork the child has no helpers, and locks and conditions may remember some. */
static void begin_anew(void) {
    const pthread_mutex_t free_lock = PTHREAD_MUTEX_INITIALIZER;
    const pthread_cond_t quiet = PTHREAD_COND_INITIALIZER;
    one_job = lock = free_lock;
    begin = end = quiet;
    team_size = working = wanted = 0;
}

/* Brings the team up to `threads` helpers. */
static void recruit(int threads) {
    static int watches_forks;
    if (!watches_forks) {
        watches_forks = 1;
        pthread_atfork(0, 0, begin_anew);
    }
    while (team_size < threads) {
        pthread_t thread;
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        const int failed = pthread_create(&thread, &attributes, member_of_team, (void *)(long)team_size);
        pthread_attr_destroy(&attributes);
        if (failed) return;
        team_size++;
    }
}

void civlab_team_run(const Body *bodies, int number, const struct World *world, u32 tick, u32 count, u32 chunk, int threads) {
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    if (threads <= 1 || count <= chunk) {
        for (u32 i = 0; i < count; i++)
            for (int b = 0; b < number; b++) bodies[b](world, tick, i);
        return;
    }
    pthread_mutex_lock(&one_job);
    pthread_mutex_lock(&lock);
    recruit(threads - 1);
    wanted = threads - 1 < team_size ? threads - 1 : team_size;
    const struct Job mine = {bodies, world, tick, chunk, number, wanted + 1};
    job = mine;
    for (int i = 0; i < mine.threads; i++) {
        shares[i].next = (u32)((u64)count * (u32)i / (u32)mine.threads);
        shares[i].stop = (u32)((u64)count * ((u32)i + 1) / (u32)mine.threads);
    }
    __atomic_store_n(&job_number, job_number + 1, __ATOMIC_RELAXED);
    pthread_cond_broadcast(&begin);
    pthread_mutex_unlock(&lock);
    work(&mine, 0);
    pthread_mutex_lock(&lock);
    wanted = 0; /* the work is all taken: whoever has not come yet need not come, and is not waited for */
    while (working > 0) pthread_cond_wait(&end, &lock);
    pthread_mutex_unlock(&lock);
    pthread_mutex_unlock(&one_job);
}
