/* The main of a driver: `linsock cc --wsk` compiles it along. */
#include <ntddk.h>

DRIVER_INITIALIZE DriverEntry;
int linsock_run_driver(int argc, char **argv, PDRIVER_INITIALIZE entry);

int main(int argc, char **argv)
{
    return linsock_run_driver(argc, argv, DriverEntry);
}
