/* NtStatus.h - see ntstatus.h. */
#include "../ntstatus.h"
