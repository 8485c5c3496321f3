/*
 * console.c - keys of the console. The program makes itself a terminal and types at it.
 */
#ifndef __MINGW32__
#define _GNU_SOURCE
#endif
#include "check.h"
#include <conio.h>

#ifndef __MINGW32__
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* A process without a terminal. */
static void without_a_terminal(void)
{
    CHECK_EQ(_kbhit(), 0, "choice: no key without a terminal");
    CHECK_EQ(_getch(), -1, "choice: no key without a terminal");
    CHECK_EQ(_ungetch('u'), 'u', "D _ungetch");
    CHECK_EQ(_ungetch('v'), -1, "D _ungetch: one only");
    CHECK_EQ(_kbhit(), 1, "D _kbhit: a key that was given back");
    CHECK_EQ(_getch(), 'u', "D _ungetch");
    CHECK_EQ(_kbhit(), 0, "D _kbhit");
}

/* Whether a key is there before long: a terminal hands over what is written to it on its own time. */
static BOOL hit(void)
{
    ULONGLONG limit = GetTickCount64() + CHECK_WAIT_MS;
    int found;

    while ((found = _kbhit()) == 0 && GetTickCount64() < limit)
        Sleep(1);
    return found != 0;
}

static int typed_at;
static pthread_t reader;

static void nothing(int number)
{
    (void)number;
}

/* Signals, and then a key. */
static DWORD WINAPI disturbs(void *unused)
{
    int i;

    (void)unused;
    for (i = 0; i < 20; i++) {
        Sleep(2);
        pthread_kill(reader, SIGUSR1);
    }
    return write(typed_at, "s", 1) != 1;
}

/* Signals come while a key is waited for, and do not end the call. */
static void interrupted(int keyboard)
{
    struct sigaction action;
    HANDLE thread;

    typed_at = keyboard;
    reader = pthread_self();
    memset(&action, 0, sizeof action);
    action.sa_handler = nothing;
    sigaction(SIGUSR1, &action, NULL);
    thread = CreateThread(NULL, 0, disturbs, NULL, 0, NULL);
    REQUIRE(thread != NULL);
    CHECK_EQ(_getch(), 's', "D _getch: reads a key; choice: whatever signals come");
    CHECK(is_set(thread, CHECK_WAIT_MS), "setup");
    CloseHandle(thread);
}

static DWORD WINAPI reads_keys(void *unused)
{
    (void)unused;
    return (DWORD)_getch();
}

static BOOL is_in_lines(int terminal)
{
    struct termios settings;

    REQUIRE(tcgetattr(terminal, &settings) == 0);
    return (settings.c_lflag & (ICANON | ECHO)) == (ICANON | ECHO);
}

/* Two threads: one waits for a key, and the other looks and goes. */
static void at_once(int keyboard, int terminal)
{
    HANDLE thread = CreateThread(NULL, 0, reads_keys, NULL, 0, NULL);
    DWORD key = 0;

    REQUIRE(thread != NULL);
    while (is_in_lines(terminal))
        Sleep(1);
    CHECK_EQ(_kbhit(), 0, "D _kbhit: no key");
    CHECK(!is_in_lines(terminal), "choice: the other call goes on without Enter");
    REQUIRE(write(keyboard, "t", 1) == 1);
    CHECK(is_set(thread, CHECK_WAIT_MS) && GetExitCodeThread(thread, &key) && key == 't', "D _getch: without Enter");
    CHECK(is_in_lines(terminal), "choice: the last call leaves the terminal as it was");
    CloseHandle(thread);
}

static int with_a_terminal(int keyboard, int terminal)
{
    char shown[64];
    ssize_t count;

    CHECK_EQ(_kbhit(), 0, "D _kbhit: no key");
    REQUIRE(write(keyboard, "ab", 2) == 2);
    CHECK(hit(), "D _kbhit: without Enter");
    CHECK_EQ(_getch(), 'a', "D _getch: without Enter");
    CHECK(hit(), "D _kbhit");
    CHECK_EQ(_getch(), 'b', "D _getch");
    CHECK_EQ(_kbhit(), 0, "D _kbhit: no key any more");
    interrupted(keyboard);
    at_once(keyboard, terminal);
    REQUIRE(write(keyboard, "c\n", 2) == 2);
    CHECK_EQ(_getche(), 'c', "D _getche");
    CHECK_EQ(_getch(), '\n', "choice: as the terminal sends it");
    /* Everything that the terminal shows is what the keys were echoed as. */
    count = read(keyboard, shown, sizeof shown);
    CHECK(count > 0, "D _getche: it is shown");
    return check_end();
}

static int child(void)
{
    int keyboard = posix_openpt(O_RDWR | O_NOCTTY), terminal;

    setsid();
    check_begin("console");
    REQUIRE(keyboard >= 0 && grantpt(keyboard) == 0 && unlockpt(keyboard) == 0);
    /* The first terminal that the leader of a session opens becomes its own. */
    terminal = open(ptsname(keyboard), O_RDWR);
    REQUIRE(terminal >= 0);
    return with_a_terminal(keyboard, terminal);
}

int main(int argc, char **argv)
{
    int status = -1;
    pid_t process;

    if (argc > 1)
        return child();
    process = fork();
    if (process == 0) {
        execl(argv[0], argv[0], "child", (char *)NULL);
        _exit(99);
    }
    check_begin("console");
    CHECK(waitpid(process, &status, 0) == process && status == 0, "setup");
    if (setsid() < 0) {
        /* The leader of a group cannot leave its terminal; a child can. */
        process = fork();
        if (process != 0) {
            CHECK(waitpid(process, &status, 0) == process && status == 0, "setup");
            return check_end();
        }
        setsid();
        CHECK_QUIT(_kbhit() == 0 && _getch() == -1 ? 0 : 1);
    }
    without_a_terminal();
    return check_end();
}
#else
int main(void)
{
    check_begin("console");
    CHECK_EQ(_ungetch('u'), 'u', "D _ungetch");
    CHECK_EQ(_ungetch('v'), -1, "D _ungetch: one only");
    CHECK_EQ(_getch(), 'u', "D _ungetch");
    return check_end();
}
#endif
