#include <winsock2.h>
#include <ws2tcpip.h>

int exchange(char *text, int size);
