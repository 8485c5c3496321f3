#include <stdio.h>

#include "network.h"

__declspec(dllimport) DWORD answer(void);

int main(void)
{
    char text[] = "through the loopback";
    int got = exchange(text, sizeof text);

    printf("%d octets, %lu\n", got, (unsigned long)answer());
    return got != sizeof text || answer() != 42;
}
