extern "C" {
#include "network.h"
__declspec(dllimport) DWORD answer(void);
}
#include <iostream>
#include <string>

int main()
{
    std::string text = "through the loopback";
    const int got = exchange(&text[0], static_cast<int>(text.size()));

    std::cout << got << " octets, " << answer() << std::endl;
    return got != static_cast<int>(text.size()) || answer() != 42;
}
