/* Which of the compiled libraries this processor can run. */
#include "civlab.h"

/* 3 for x86-64-v3 (AVX2, BMI, …), else 2; 0 where levels mean nothing. */
int civlab_level(void);
int civlab_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                   __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") && __builtin_cpu_supports("lzcnt")
               ? 3
               : 2;
#else
    return 0;
#endif
}
