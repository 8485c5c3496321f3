/*
 * afunix.h - addresses of AF_UNIX sockets.
 *
 * Part of linsock: Windows Sockets for Linux.
 */
#ifndef LINSOCK_AFUNIX_H
#define LINSOCK_AFUNIX_H

#include <winsock2.h>

#define UNIX_PATH_MAX 108

/* A path: of a file, or, behind a NUL, a name that has none. */
typedef struct sockaddr_un {
    ADDRESS_FAMILY sun_family; /* AF_UNIX */
    char sun_path[UNIX_PATH_MAX];
} SOCKADDR_UN, *PSOCKADDR_UN;

#endif
