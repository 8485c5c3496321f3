/* collide.c - must be refused, with our message. */
#include <sys/socket.h>
#include <winsock2.h>
