//! The functions of mswsock.h.
