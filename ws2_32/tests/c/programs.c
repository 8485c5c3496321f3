/*
 * programs.c - which program is started by which name, and the C runtime's own ways to start one.
 */
#include "check.h"
#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <process.h>
#ifndef __MINGW32__
#include <sys/stat.h>
#endif

#define VARIABLE "LINSOCK_TEST_PROGRAMS"

static char self[600];

static int child(int argc, char **argv)
{
    if (strcmp(argv[1], "exit") == 0)
        return atoi(argv[2]);
    if (strcmp(argv[1], "count") == 0)
        return argc;
    if (strcmp(argv[1], "last") == 0)
        return (int)strlen(argv[argc - 1]);
    if (strcmp(argv[1], "variable") == 0)
        return getenv(VARIABLE) ? atoi(getenv(VARIABLE)) : 1;
    if (strcmp(argv[1], "write") == 0)
        return _write(atoi(argv[2]), "told", 4);
    if (strcmp(argv[1], "replaced") == 0)
        return _execl(self, "self", "exit", "11", (char *)NULL) == -1 ? 90 : 91;
    if (strcmp(argv[1], "not-replaced") == 0)
        return _execl("no-such-program", "x", (char *)NULL) == -1 && errno == ENOENT ? 12 : 91;
    return 99;
}

static DWORD code_of(HANDLE process)
{
    DWORD code = CHECK_UNSET;

    CHECK(is_set(process, CHECK_WAIT_MS), "setup");
    CHECK(GetExitCodeProcess(process, &code), "D GetExitCodeProcess");
    return code;
}

/* The exit code of a command line, or the error that it is. */
static DWORD outcome(const char *application, const char *text)
{
    PROCESS_INFORMATION info;
    STARTUPINFOA startup;
    char line[300];
    DWORD code;

    memset(&startup, 0, sizeof startup);
    startup.cb = sizeof startup;
    snprintf(line, sizeof line, "%s", text);
    if (!CreateProcessA(application, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info))
        return 100000 + GetLastError();
    code = code_of(info.hProcess);
    CloseHandle(info.hThread);
    CloseHandle(info.hProcess);
    return code;
}

#ifndef __MINGW32__
static void put(const char *name, const char *text, unsigned mode)
{
    FILE *file = fopen(name, "w");

    REQUIRE(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0 && chmod(name, mode) == 0);
}

static void names(void)
{
    put("programs-a.exe", "#!/bin/sh\nexit 7\n", 0755);
    CHECK_EQ(outcome(NULL, "programs-a x y"), 7, "D CreateProcess: without an extension, .exe is appended");
    CHECK_EQ(outcome(NULL, "./programs-a x"), 7, "D CreateProcess: c:\\program.exe is tried for c:\\program");
    CHECK_EQ(outcome(NULL, "programs-a.EXE x"), 100000 + ERROR_FILE_NOT_FOUND, "choice: the case of a name matters");
    CHECK_EQ(outcome("programs-a", "x"), 100000 + ERROR_FILE_NOT_FOUND,
             "D CreateProcess: lpApplicationName, no default extension is assumed");
    CHECK_EQ(outcome("programs-a.exe", "x"), 7, "D CreateProcess: lpApplicationName");
    put("programs-b", "#!/bin/sh\nexit 8\n", 0755);
    CHECK_EQ(outcome(NULL, "programs-b.exe x"), 8, "choice: Linux' programs have no .exe");
    CHECK_EQ(outcome("programs-b.exe", "x"), 8, "choice: Linux' programs have no .exe");
    put("programs-b c.exe", "#!/bin/sh\nexit 9\n", 0755);
    CHECK_EQ(outcome(NULL, "programs-b c.exe x"), 8, "D CreateProcess: without quotes, the first that there is");
    CHECK_EQ(outcome(NULL, "\"programs-b c\" x"), 9, "D CreateProcess: in quotes");
    CHECK(remove("programs-b") == 0, "setup");
    CHECK_EQ(outcome(NULL, "programs-b c.exe x"), 9, "D CreateProcess: without quotes, the next that there is");
    CHECK(remove("programs-b c.exe") == 0 && remove("programs-a.exe") == 0, "setup");
    put("false", "data", 0644);
    CHECK_EQ(outcome(NULL, "false x"), 1, "choice: a file of data is no program, and hides none in PATH");
    CHECK_EQ(outcome(NULL, "./false x"), 100000 + ERROR_ACCESS_DENIED, "choice: a file that nobody may execute");
    CHECK(remove("false") == 0, "setup");
}

static void pipes_to_shells(void)
{
    static const char *const modes[] = { "r", "rb", "rt" }, *const others[] = { "", "x", "rx", "rbt", "b" };
    char text[16];
    FILE *pipe;
    size_t i;

    for (i = 0; i < sizeof modes / sizeof *modes; i++) {
        pipe = _popen("echo text; exit 3", modes[i]);
        CHECK(pipe != NULL, "D _popen: r, and b or t");
        if (pipe == NULL)
            continue;
        CHECK(fgets(text, sizeof text, pipe) != NULL && strcmp(text, "text\n") == 0, "D _popen");
        CHECK_EQ(_pclose(pipe), 3, "D _pclose: the exit status of the command processor");
    }
    pipe = _popen("read line; test \"$line\" = hello && exit 5", "wb");
    REQUIRE(pipe != NULL);
    CHECK(fputs("hello\n", pipe) >= 0, "D _popen: w");
    CHECK_EQ(_pclose(pipe), 5, "D _pclose");
    for (i = 0; i < sizeof others / sizeof *others; i++) {
        errno = 0;
        CHECK(_popen("true", others[i]) == NULL && errno == EINVAL, "D _popen: an invalid mode");
    }
    errno = 0;
    CHECK(_popen(NULL, "r") == NULL && errno == EINVAL, "D _popen: command is a null pointer");
    errno = 0;
    CHECK(_popen("true", NULL) == NULL && errno == EINVAL, "D _popen: mode is a null pointer");
    errno = 0;
    CHECK(_pclose(NULL) == -1 && errno == EINVAL, "D _pclose: a null pointer");
}
#endif

/* ---- _spawn and _cwait ------------------------------------------------------------------------------------ */

#define SPAWN_FAILS(call, error, source) do { \
        errno = 0; \
        CHECK((call) == -1, source); \
        CHECK_EQ(errno, error, source); \
    } while (0)

static void spawns(void)
{
    const char *const arguments[] = { "self", "exit", "43", NULL };
    const char *const variable[] = { VARIABLE "=44", NULL };
    const char *const asks[] = { "self", "variable", NULL };

    CHECK_EQ(_spawnl(_P_WAIT, self, "self", "exit", "42", (char *)NULL), 42, "D _spawnl: _P_WAIT, the exit status");
    CHECK_EQ(_spawnv(_P_WAIT, self, arguments), 43, "D _spawnv");
    CHECK_EQ(_spawnvp(_P_WAIT, self, arguments), 43, "D _spawnvp");
    CHECK_EQ(_spawnlp(_P_WAIT, self, "self", "exit", "0", (char *)NULL), 0, "D _spawnlp");
    CHECK_EQ(_spawnl(_P_WAIT, self, "self", "count", "two words", (char *)NULL), 4,
             "D _spawn, _wspawn functions: \"hi there\" becomes two arguments");
    CHECK_EQ(_spawnl(_P_WAIT, self, "self", "count", "\"two words\"", (char *)NULL), 3,
             "D _spawn, _wspawn functions: by quoting the string");
    CHECK_EQ(_spawnl(_P_WAIT, self, "self", "last", "\"two words\"", (char *)NULL), 9,
             "D _spawn, _wspawn functions: by quoting the string");
#ifndef __MINGW32__
    CHECK_EQ(_spawnle(_P_WAIT, self, "self", "variable", (char *)NULL, variable), 44, "D _spawnle: envp");
    CHECK_EQ(_spawnlpe(_P_WAIT, self, "self", "variable", (char *)NULL, variable), 44, "D _spawnlpe: envp");
    CHECK_EQ(_spawnve(_P_WAIT, self, asks, variable), 44, "D _spawnve: envp");
    CHECK_EQ(_spawnvpe(_P_WAIT, self, asks, variable), 44, "D _spawnvpe: envp");
    SetEnvironmentVariableA(VARIABLE, "45");
    CHECK_EQ(_spawnve(_P_WAIT, self, asks, NULL), 45, "D _spawnve: envp NULL, the environment of the caller");
    SetEnvironmentVariableA(VARIABLE, NULL);
    CHECK_EQ(_spawnlp(_P_WAIT, "sh", "sh", "-c", "\"exit 4\"", (char *)NULL), 4, "D _spawnlp: PATH");
    SPAWN_FAILS(_spawnl(_P_WAIT, "sh", "sh", "-c", "\"exit 4\"", (char *)NULL), ENOENT, "D _spawnl: not in PATH");
    put("programs-d.exe", "#!/bin/sh\nexit 6\n", 0755);
    CHECK_EQ(_spawnl(_P_WAIT, "programs-d", "x", (char *)NULL), 6, "D _spawn, _wspawn functions: .exe is tried");
    put("programs-d.exe", "no program", 0755);
    SPAWN_FAILS(_spawnl(_P_WAIT, "programs-d", "x", (char *)NULL), ENOEXEC, "D _spawnl: ENOEXEC");
    CHECK(remove("programs-d.exe") == 0, "setup");
#else
    (void)asks, (void)variable;
#endif
    SPAWN_FAILS(_spawnl(_P_WAIT, "no-such-program", "x", (char *)NULL), ENOENT, "D _spawnl: ENOENT");
    CHECK_EQ(_spawnl(_P_WAIT, self, "self", "replaced", (char *)NULL), 11, "D _execl");
    CHECK_EQ(_spawnl(_P_WAIT, self, "self", "not-replaced", (char *)NULL), 12, "D _execl: -1, and errno");
}

static void waits(void)
{
    intptr_t first = _spawnl(_P_NOWAIT, self, "self", "exit", "5", (char *)NULL);
    intptr_t second = _spawnl(_P_NOWAITO, self, "self", "exit", "6", (char *)NULL);
    int status = -1, fds[2];
    char text[8] = "", number[16];

    CHECK(first != -1 && second != -1, "D _spawnl: _P_NOWAIT, the process handle");
    CHECK(is_set((HANDLE)second, CHECK_WAIT_MS), "D _spawnl: _P_NOWAIT, the process handle");
    CHECK_EQ(_cwait(&status, first, _WAIT_CHILD), first, "D _cwait: the handle");
    CHECK_EQ(status, 5, "D _cwait: the result code");
    CHECK_EQ(_cwait(NULL, second, _WAIT_CHILD), second, "D _cwait: termstat NULL");
#ifndef __MINGW32__
    SPAWN_FAILS(_cwait(&status, first, _WAIT_CHILD), ECHILD, "choice: the handle is closed; D _cwait: ECHILD");
    SPAWN_FAILS(_cwait(&status, -1, _WAIT_CHILD), ECHILD, "D _cwait: ECHILD");
    CHECK_EQ(_spawnl(_P_DETACH, self, "self", "exit", "0", (char *)NULL), 0, "choice: a process of its own has no handle");
#endif
    REQUIRE(_pipe(fds, 4096, _O_BINARY) == 0);
    snprintf(number, sizeof number, "%d", fds[1]);
    CHECK_EQ(_spawnl(_P_WAIT, self, "self", "write", number, (char *)NULL), 4,
             "D _spawn, _wspawn functions: open files stay open");
    CHECK(_read(fds[0], text, 4) == 4 && memcmp(text, "told", 4) == 0, "D _spawn, _wspawn functions");
    CHECK(_close(fds[0]) == 0 && _close(fds[1]) == 0, "D _close");
}

#ifndef __MINGW32__
static void refusals(void)
{
    const char *const nothing[] = { NULL };

    SPAWN_FAILS(_spawnl(9, self, "self", (char *)NULL), EINVAL, "D _spawnl: the mode");
    SPAWN_FAILS(_spawnl(-1, self, "self", (char *)NULL), EINVAL, "D _spawnl: the mode");
    SPAWN_FAILS(_spawnl(_P_WAIT, NULL, "self", (char *)NULL), EINVAL, "D _spawnl: cmdname is a null pointer");
    SPAWN_FAILS(_spawnl(_P_WAIT, self, (char *)NULL, (char *)NULL), EINVAL, "D _spawnl: at least one argument");
    SPAWN_FAILS(_spawnl(_P_WAIT, self, "", (char *)NULL), EINVAL, "D _spawnl: arg0 is an empty string");
    SPAWN_FAILS(_spawnv(_P_WAIT, self, NULL), EINVAL, "D _spawnv: argv is a null pointer");
    SPAWN_FAILS(_spawnv(_P_WAIT, self, nothing), EINVAL, "D _spawnv: argv[0] is a null pointer");
    SPAWN_FAILS(_spawnv(_P_WAIT, self, (const char *const *)16), EINVAL, "choice: an error, and no crash");
    SPAWN_FAILS(_cwait((int *)16, 4, _WAIT_CHILD), EINVAL, "choice: an error, and no crash");
}
#endif

static void flags(void)
{
    CHECK_EQ(CREATE_SEPARATE_WOW_VDM | CREATE_SHARED_WOW_VDM, 0x1800, "D Process creation flags");
    CHECK_EQ(CREATE_PRESERVE_CODE_AUTHZ_LEVEL, 0x02000000, "D Process creation flags");
    CHECK_EQ(STARTF_USECOUNTCHARS | STARTF_USEFILLATTRIBUTE | STARTF_RUNFULLSCREEN, 0x38, "D STARTUPINFO");
    CHECK_EQ(STARTF_USEHOTKEY | STARTF_TITLEISLINKNAME | STARTF_TITLEISAPPID, 0x1A00, "D STARTUPINFO");
    CHECK_EQ(PROCESS_CREATE_PROCESS | PROCESS_SET_QUOTA, 0x180, "D Process security and access rights");
}

int main(int argc, char **argv)
{
    REQUIRE(GetModuleFileNameA(NULL, self, sizeof self) > 0);
    if (argc > 1)
        return child(argc, argv);
    check_begin("programs");
    flags();
    spawns();
    waits();
#ifndef __MINGW32__
    names();
    pipes_to_shells();
    refusals();
#else
    (void)outcome;
#endif
    return check_end();
}
