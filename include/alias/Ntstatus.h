/* Ntstatus.h - see ntstatus.h. */
#include "../ntstatus.h"
