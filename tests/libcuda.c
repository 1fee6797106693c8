/* A NVIDIA driver that answers as the environment tells it to, and starts no work. */

#include <stdlib.h>
#include <string.h>

static int setting(const char *name, int otherwise) {
    const char *value = getenv(name);
    return value ? atoi(value) : otherwise;
}

static int started, hidden;

int cuInit(unsigned flags) {
    if (!started) { /* the one time that a driver reads this variable */
        const char *visible = getenv("CUDA_VISIBLE_DEVICES");
        hidden = visible && !*visible;
        started = 1;
    }
    return setting("DRIVER_INIT", 0);
}

int cuDriverGetVersion(int *version) {
    *version = setting("DRIVER_VERSION", 13000);
    return 0;
}

int cuDeviceGetCount(int *count) {
    *count = setting("DRIVER_DEVICES", 1);
    return 0;
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
    int capability = setting("DRIVER_CAPABILITY", 90);
    *value = attribute == 75 ? capability / 10 : capability % 10;
    return 0;
}

int cuGetErrorString(int code, const char **words) {
    *words = "words of the driver";
    return 0;
}

static int fail(void) { return setting("DRIVER_FAILS", 2); }

int cuDevicePrimaryCtxRetain(void **context, int device) { return fail(); }

int cuGetProcAddress_v2(const char *name, void **address, int version, unsigned long long flags, int *found) {
    *address = !strcmp(name, "cuInit")               ? (void *)cuInit
               : !strcmp(name, "cuDriverGetVersion") ? (void *)cuDriverGetVersion
               : !strcmp(name, "cuDeviceGetCount")   ? (void *)cuDeviceGetCount
               : !strcmp(name, "cuGetProcAddress")   ? (void *)cuGetProcAddress_v2
                                                     : (void *)fail;
    if (found)
        *found = 0;
    return 0;
}

int cuGetProcAddress(const char *name, void **address, int version, unsigned long long flags) {
    return cuGetProcAddress_v2(name, address, version, flags, NULL);
}

/* CUDA's runtime in the place of the real one, which a driver that starts no work keeps from counting: for LD_PRELOAD. */
int cudaGetDeviceCount(int *count) {
    cuInit(0);
    *count = hidden ? 0 : setting("DRIVER_DEVICES", 1);
    return *count ? 0 : 100;
}
