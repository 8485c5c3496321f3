/* pshpack8.h - members of the structures that follow are aligned to 8 octets at most, until poppack.h. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wpragma-pack" /* that a header does so */
#endif
#pragma pack(push, 8)
