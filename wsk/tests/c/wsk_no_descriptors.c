/*
 * A process that has no descriptor left when it registers: the registration says so, and works when there are some.
 */
#include "wsk_check.h"
#include <sys/resource.h>

int main(void)
{
    WSK_CLIENT_NPI npi = {NULL, &client_dispatch};
    struct rlimit before;

    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &(struct rlimit){3, before.rlim_max}) == 0);
    CHECK_EQ(WskRegister(&npi, &registration), STATUS_INSUFFICIENT_RESOURCES, "choice: the provider has descriptors");
    REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
    begin();
    return finish("wsk_no_descriptors");
}
