/* poppack.h - ends what a pshpack header has begun. */
#pragma pack(pop)
