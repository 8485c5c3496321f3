//! The functions of ws2tcpip.h.
