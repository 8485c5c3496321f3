/* timeval.c - headers that need the C library's struct timeval, read after ours; and gettimeofday. */
#include <winsock2.h>
#include <sys/time.h>
#include <sys/resource.h>
#ifdef __cplusplus
#define CHECK(e) static_assert(e, #e)
#else
#define CHECK(e) _Static_assert(e, #e)
#endif
CHECK(sizeof(struct rusage) == 144);
CHECK(sizeof(struct itimerval) == 32);
CHECK(sizeof(struct timeval) == 8);
long now(void);
long now(void)
{
    struct timeval tv;
    gettimeofday(&tv, NULL);
    return tv.tv_sec;
}
