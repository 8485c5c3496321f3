/* Numbers and layouts of the kernel's headers, one a line. layout.golden is what a compiler for Windows makes of it with
 * its own headers: x86_64-w64-mingw32-gcc -I.../x86_64-w64-mingw32/include/ddk layout.c -o layout.exe && wine layout.exe | tr -d '\r' > layout.golden */
#ifdef __MINGW32__
#include <ntddk.h>
int printf(const char *format, ...);
#else
#include <ntddk.h>
#endif


#define NUMBER(name) printf(#name " 0x%x\n", (unsigned)(name))
#define SIZE(type) printf("sizeof(" #type ") 0x%x\n", (unsigned)sizeof(type))
#define OFFSET(type, field) printf(#type "." #field " 0x%x\n", (unsigned)offsetof(type, field))

int main(void)
{
    NUMBER(APC_LEVEL);
    NUMBER(DISPATCH_LEVEL);
    NUMBER(DO_BUFFERED_IO);
    NUMBER(DO_DEVICE_INITIALIZING);
    NUMBER(DO_DIRECT_IO);
    NUMBER(FILE_DEVICE_NETWORK);
    NUMBER(FILE_DEVICE_SECURE_OPEN);
    NUMBER(FILE_DEVICE_UNKNOWN);
    NUMBER(HIGH_LEVEL);
    NUMBER(IO_NETWORK_INCREMENT);
    NUMBER(IO_NO_INCREMENT);
    NUMBER(IRP_MJ_CLEANUP);
    NUMBER(IRP_MJ_CLOSE);
    NUMBER(IRP_MJ_CREATE);
    NUMBER(IRP_MJ_DEVICE_CONTROL);
    NUMBER(IRP_MJ_INTERNAL_DEVICE_CONTROL);
    NUMBER(IRP_MJ_MAXIMUM_FUNCTION);
    NUMBER(IRP_MJ_READ);
    NUMBER(IRP_MJ_WRITE);
    NUMBER(MDL_ALLOCATED_FIXED_SIZE);
    NUMBER(MDL_MAPPED_TO_SYSTEM_VA);
    NUMBER(MDL_PAGES_LOCKED);
    NUMBER(MDL_SOURCE_IS_NONPAGED_POOL);
    NUMBER(OBJ_CASE_INSENSITIVE);
    NUMBER(OBJ_KERNEL_HANDLE);
    NUMBER(PAGE_SHIFT);
    NUMBER(PAGE_SIZE);
    NUMBER(PASSIVE_LEVEL);
    NUMBER(SL_ERROR_RETURNED);
    NUMBER(SL_INVOKE_ON_CANCEL);
    NUMBER(SL_INVOKE_ON_ERROR);
    NUMBER(SL_INVOKE_ON_SUCCESS);
    NUMBER(SL_PENDING_RETURNED);
    NUMBER(STATUS_ALERTED);
    NUMBER(STATUS_CONNECTION_INVALID);
    NUMBER(STATUS_DATA_NOT_ACCEPTED);
    NUMBER(STATUS_EVENT_PENDING);
    NUMBER(STATUS_FILE_FORCED_CLOSED);
    NUMBER(STATUS_INVALID_DEVICE_REQUEST);
    NUMBER(STATUS_INVALID_DEVICE_STATE);
    NUMBER(STATUS_MORE_PROCESSING_REQUIRED);
    NUMBER(STATUS_NOT_FOUND);
    NUMBER(STATUS_NO_MATCH);
    NUMBER(STATUS_RECEIVE_PARTIAL);
    NUMBER(STATUS_REQUEST_NOT_ACCEPTED);
    NUMBER(STATUS_WAIT_1);
    NUMBER(THREAD_ALL_ACCESS);
    NUMBER(NotificationEvent);
    NUMBER(SynchronizationEvent);
    NUMBER(WaitAll);
    NUMBER(WaitAny);
    NUMBER(NonPagedPool);
    NUMBER(PagedPool);
    NUMBER(KernelMode);
    NUMBER(UserMode);
    NUMBER(CriticalWorkQueue);
    NUMBER(DelayedWorkQueue);
    NUMBER(IoReadAccess);
    NUMBER(IoWriteAccess);
    NUMBER(IoModifyAccess);
    NUMBER(STATUS_NOINTERFACE);
    NUMBER(DPFLTR_ERROR_LEVEL);
    NUMBER(DPFLTR_IHVDRIVER_ID);
    NUMBER(DPFLTR_INFO_LEVEL);
    NUMBER(DPFLTR_TRACE_LEVEL);
    NUMBER(DPFLTR_WARNING_LEVEL);
    SIZE(IRP);
    SIZE(IO_STACK_LOCATION);
    SIZE(MDL);
    SIZE(KEVENT);
    SIZE(KSEMAPHORE);
    SIZE(KMUTEX);
    SIZE(FAST_MUTEX);
    SIZE(EX_RUNDOWN_REF);
    SIZE(SLIST_ENTRY);
    SIZE(SLIST_HEADER);
    SIZE(UNICODE_STRING);
    SIZE(OBJECT_ATTRIBUTES);
    SIZE(WORK_QUEUE_ITEM);
    SIZE(IO_STATUS_BLOCK);
    SIZE(DRIVER_OBJECT);
    SIZE(DISPATCHER_HEADER);
    OFFSET(IRP, MdlAddress);
    OFFSET(IRP, IoStatus);
    OFFSET(IRP, RequestorMode);
    OFFSET(IRP, PendingReturned);
    OFFSET(IRP, StackCount);
    OFFSET(IRP, CurrentLocation);
    OFFSET(IRP, Cancel);
    OFFSET(IRP, CancelIrql);
    OFFSET(IRP, CancelRoutine);
    OFFSET(IRP, UserBuffer);
    OFFSET(IRP, Tail.Overlay.DriverContext);
    OFFSET(IRP, Tail.Overlay.Thread);
    OFFSET(IRP, Tail.Overlay.ListEntry);
    OFFSET(IRP, Tail.Overlay.CurrentStackLocation);
    OFFSET(IO_STACK_LOCATION, Control);
    OFFSET(IO_STACK_LOCATION, Parameters);
    OFFSET(IO_STACK_LOCATION, DeviceObject);
    OFFSET(IO_STACK_LOCATION, CompletionRoutine);
    OFFSET(IO_STACK_LOCATION, Context);
    OFFSET(MDL, Next);
    OFFSET(MDL, MdlFlags);
    OFFSET(MDL, MappedSystemVa);
    OFFSET(MDL, StartVa);
    OFFSET(MDL, ByteCount);
    OFFSET(MDL, ByteOffset);
    OFFSET(DRIVER_OBJECT, DriverName);
    OFFSET(DRIVER_OBJECT, DriverInit);
    OFFSET(DRIVER_OBJECT, DriverUnload);
    OFFSET(DRIVER_OBJECT, MajorFunction);
    OFFSET(DEVICE_OBJECT, DriverObject);
    OFFSET(DEVICE_OBJECT, Flags);
    OFFSET(DEVICE_OBJECT, DeviceExtension);
    OFFSET(DEVICE_OBJECT, DeviceType);
    OFFSET(DEVICE_OBJECT, StackSize);
    OFFSET(KSEMAPHORE, Limit);
    OFFSET(KMUTEX, OwnerThread);
    OFFSET(DISPATCHER_HEADER, SignalState);
    OFFSET(DISPATCHER_HEADER, WaitListHead);
    OFFSET(FAST_MUTEX, Event);
    OFFSET(FAST_MUTEX, OldIrql);
    return 0;
}
