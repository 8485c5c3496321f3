//! The functions of winsock2.h.
