#!/bin/sh
# Checks include/: every order of inclusion, C and C++, strict and GNU modes, gcc and clang, the symbols that
# calls end up at, USE_WS_PREFIX, the refusal of <sys/socket.h>, every header on its own, and the layouts
# against layout.golden. Needs no library. Prints `N passed, N failed`.
here=$(cd "$(dirname "$0")" && pwd) || exit 2
root=$(cd "$here/../../.." && pwd) || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM
: >"$work/jobs"

defs="-D_WIN32 -D_WIN64 -DWIN32 -U__linux__ -U__linux -Ulinux -U__unix__ -U__unix -Uunix -U__gnu_linux__"
flags="$defs -I $root/include -I $root/include/alias -I $here -Wall -Wextra -Wpedantic -Werror"

# job NAME COMMAND: a command that must succeed.
job() {
    printf '%s\t%s\n' "$1" "$2" >>"$work/jobs"
}

# have COMPILER
have() {
    command -v "$1" >/dev/null 2>&1
}
ccs=; cxxs=
for c in gcc clang; do have $c && ccs="$ccs $c"; done
for c in g++ clang++; do have $c && cxxs="$cxxs $c"; done

ours='#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <mstcpip.h>
#include <windows.h>
#include <process.h>'
aliases='#include <Windows.h>
#include <WinSock2.h>
#include <WS2tcpip.h>
#include <MSWSock.h>
#include <MSTcpIP.h>
#include <Process.h>'
c_system='#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <signal.h>
#include <errno.h>
#include <unistd.h>
#include <pthread.h>
#include <sys/types.h>
#include <sys/stat.h>'
c_plain='#include <stdio.h>
#include <string.h>'
cxx_system='#include <cstdlib>
#include <cstring>
#include <chrono>
#include <ctime>
#include <mutex>
#include <thread>
#include <vector>
#include <iostream>'
cxx_all='#include <bits/stdc++.h>'

# tu NAME EXT FD_SETSIZE INCLUDES...: writes a source file of the matrix.
tu() {
    name=$1 ext=$2 size=$3; shift 3
    { for part in "$@"; do printf '%s\n' "$part"; done
      printf '#define EXPECT_FD_SETSIZE %s\n#include "body.h"\n' "$size"; } >"$work/$name.$ext"
}
tu c_before c 64 "$c_system" "$ours"
tu c_after c 64 "$ours" "$c_system"
tu c_plain_before c 64 "$c_plain" "$ours"
tu c_plain_after c 64 "$ours" "$c_plain"
tu c_alias c 64 "$c_plain" "$aliases" '#include <stdlib.h>'
tu c_lean c 64 '#define WIN32_LEAN_AND_MEAN' '#include <windows.h>' "$c_system" "$ours"
tu c_unicode c 64 '#define UNICODE' '#define _UNICODE' "$ours" "$c_system"
tu c_setsize_before c 512 '#define FD_SETSIZE 512' "$ours" "$c_system"
tu c_setsize_between c 512 "$c_system" '#undef FD_SETSIZE' '#define FD_SETSIZE 512' "$ours"
tu c_setsize_1024 c 1024 "$c_system" '#undef FD_SETSIZE' '#define FD_SETSIZE 1024' "$ours"
tu c_poll c 64 '#include <poll.h>' "$c_plain" "$ours"
tu cxx_before cpp 64 "$cxx_system" "$ours"
tu cxx_after cpp 64 "$ours" "$cxx_system"
tu cxx_as_c cpp 64 'extern "C" {' "$ours" '}' "$cxx_system"
tu cxx_all_before cpp 64 "$cxx_all" "$ours"
tu cxx_all_after cpp 64 "$ours" "$cxx_all"
tu cxx_alias cpp 64 "$aliases" "$cxx_system"
tu cxx_c_headers cpp 64 '#include <windows.h>' "$c_system" "$ours"

for c in $ccs; do
    for std in c11 gnu11 gnu17; do
        for f in "$work"/c_*.c; do
            n=$(basename "$f" .c)
            job "$c $std $n" "$c -std=$std $flags -fsyntax-only $f"
        done
        job "$c $std undeclared" "$c -std=$std $flags -fsyntax-only $here/undeclared.c"
    done
    for f in prefix timeval timeval_before; do
        job "$c gnu11 $f" "$c -std=gnu11 $flags -fsyntax-only $here/$f.c"
    done
    job "$c refuses sys/socket.h" "! $c $flags -fsyntax-only $here/collide.c 2>$work/refused.$c; grep -q 'linsock: <sys/socket.h>' $work/refused.$c"
done
for c in $cxxs; do
    for std in c++17 gnu++17; do
        for f in "$work"/cxx_*.cpp; do
            n=$(basename "$f" .cpp)
            case $std/$n in gnu++17/cxx_all_*) continue ;; esac
            job "$c $std $n" "$c -std=$std $flags -fsyntax-only $f"
        done
    done
    job "$c prefix" "$c -x c++ -std=gnu++17 $flags -fsyntax-only $here/prefix.c"
    for f in timeval timeval_before; do
        job "$c $f" "$c -x c++ -std=gnu++17 $flags -fsyntax-only $here/$f.c"
    done
done

# Which mean something in pairs only.
pairs='[Pp]sh[Pp]ack*.h|[Pp]op[Pp]ack.h'

# Each header alone, twice, in C and C++; and every alias leads to an existing file.
for h in "$root"/include/*.h "$root"/include/alias/*; do
    [ -f "$h" ] || continue
    n=$(basename "$h")
    eval "case \$n in $pairs) continue ;; esac"
    printf '#include <%s>\n#include <%s>\ntypedef int nothing_else;\n' "$n" "$n" >"$work/alone_$n.c"
    job "alone $n" "gcc -std=c11 $flags -fsyntax-only $work/alone_$n.c && g++ -x c++ -std=c++17 $flags -fsyntax-only $work/alone_$n.c"
done

# Within extern "C" too, as C++ programs include headers of Windows.
for h in "$root"/include/*.h; do
    n=$(basename "$h")
    eval "case \$n in $pairs) continue ;; esac"
    printf 'extern "C" {\n#include <%s>\n}\ntypedef int nothing_else;\n' "$n" >"$work/as_c_$n.cpp"
    for c in $cxxs; do
        job "$c extern C $n" "$c -std=c++17 $flags -fsyntax-only $work/as_c_$n.cpp"
    done
done

for n in 1 2 4 8; do
    printf '#include <pshpack%s.h>\nstruct s { char c; long long n; };\n#include <poppack.h>\n_Static_assert(sizeof(struct s) == 8 + %s, "packed");\n' \
        "$n" "$n" >"$work/pack_$n.c"
    for c in $ccs; do
        job "$c pshpack$n" "$c -std=c11 $defs -isystem $root/include -Werror -fsyntax-only $work/pack_$n.c"
    done
done

# Windows has no getopt: programs bring one, and its header; or they have the C library's by <unistd.h>.
mkdir "$work/own"
printf 'int getopt(int, char **, const char *);\nextern char *optarg;\n' >"$work/own/getopt.h"
printf '#include <io.h>\n#include <direct.h>\n#include <unistd.h>\n#include <winsock2.h>\n#include <getopt.h>\n' >"$work/getopt.c"
printf 'int next(int c, char **v) { return getopt(c, v, "a") + *optarg; }\n' >>"$work/getopt.c"
printf '#define _GNU_SOURCE\n#include <signal.h>\n#include <unistd.h>\nint next(int c, char **v) { return getopt(c, v, "a"); }\n' >"$work/getopt_signal.c"
printf '#define _GNU_SOURCE\n#include <signal.h>\nint getopt(int, char **);\n' >"$work/getopt_none.c"
printf '#include <unistd.h>\nstruct option { int mine; };\nint next(int c, char **v) { return getopt(c, v, "a"); }\n' >"$work/getopt_long.c"
for c in $ccs; do
    job "$c getopt of the program" "$c -std=gnu11 -I $work/own $flags -fsyntax-only $work/getopt.c"
    job "$c getopt of the C library" "$c -std=gnu11 $flags -fsyntax-only $work/getopt.c"
    job "$c getopt behind signal.h" "$c -std=gnu11 $flags -fsyntax-only $work/getopt_signal.c"
    job "$c signal.h without getopt" "$c -std=gnu11 $flags -fsyntax-only $work/getopt_none.c"
    job "$c getopt_long of the program" "$c -std=gnu11 $flags -fsyntax-only $work/getopt_long.c"
done

# Programs for Windows count on it without including it.
printf '#include <windows.h>\nint length(const char *s) { return (int)strlen(s); }\n' >"$work/strings.c"
for c in $ccs; do
    job "$c windows.h brings <string.h>" "$c -std=c11 $flags -DWIN32_LEAN_AND_MEAN -fsyntax-only $work/strings.c"
done

# So do they on the errno of <stdlib.h>, whether or not <errno.h> follows; its numbers may be theirs.
printf '#include <stdlib.h>\n#define EWOULDBLOCK 10035\nint last(void) { return errno == EWOULDBLOCK; }\n' >"$work/errno.c"
printf '#include <stdlib.h>\n#include <errno.h>\n#include <stdlib.h>\nint last(void) { return errno == EAGAIN; }\n' >"$work/errno_too.c"
for n in errno errno_too; do
    for c in $ccs; do
        job "$c <stdlib.h> brings $n" "$c -std=c11 $flags -fsyntax-only $work/$n.c"
    done
    for c in $cxxs; do
        for std in c++98 c++17; do
            job "$c $std <stdlib.h> brings $n" "$c -x c++ -std=$std $flags -fsyntax-only $work/$n.c"
        done
    done
done

# <sys/types.h> has useconds_t, in strict C too.
printf '#include <sys/types.h>\nuseconds_t pause_of(void) { return 1; }\n' >"$work/useconds.c"
for c in $ccs; do
    job "$c <sys/types.h> brings useconds_t" "$c -std=c11 $flags -fsyntax-only $work/useconds.c"
done

# Where do the calls go? Only to WS_ names, optimised and fortified or not.
cat >"$work/bindings.sh" <<'END'
# bindings.sh OBJECT EXPECT: the WS_ names wanted are those found, and no bare name is.
nm -u "$1" | sed 's/.* U //' | sort >"$1.undefined"
grep '^WS_' "$1.undefined" | diff - "$2" || exit 1
sed 's/^WS_//' "$2" | grep -Fxf - "$1.undefined" && exit 1
exit 0
END
for c in $ccs; do
    for n in c_before c_after c_plain_after; do
        for opt in "-O0" "-O2" "-O2 -D_FORTIFY_SOURCE=2"; do
            o="$work/$c.$n.$(echo "$opt" | tr -dc A-Z0-9).o"
            job "$c $n $opt binds to WS_ names" "$c -std=gnu11 $flags $opt -c $work/$n.c -o $o && sh $work/bindings.sh $o $here/bindings.expect"
        done
    done
done
for c in $cxxs; do
    for n in cxx_before cxx_after; do
        job "$c $n binds to WS_ names" "$c -std=c++17 $flags -O2 -c $work/$n.cpp -o $work/$c.$n.o && sh $work/bindings.sh $work/$c.$n.o $here/bindings.expect"
    done
done

# Layouts and numbers.
for c in $ccs; do
    job "$c layout" "$c -std=c11 $defs -I $root/include -w $here/layout.c -o $work/layout.$c && $work/layout.$c | diff $here/layout.golden -"
done

cat >"$work/run.sh" <<'END'
# run.sh WORK NUMBER: runs one job, leaves its result.
line=$(sed -n "$2p" "$1/jobs")
name=$(printf '%s' "$line" | cut -f1)
cmd=$(printf '%s' "$line" | cut -f2-)
if eval "$cmd" >"$1/out.$2" 2>&1; then
    echo ok >"$1/result.$2"
else
    { echo "FAILED: $name"; head -20 "$1/out.$2"; } >"$1/result.$2"
fi
END
count=$(wc -l <"$work/jobs")
seq "$count" | xargs -P "$(nproc 2>/dev/null || echo 2)" -n 1 sh "$work/run.sh" "$work"

passed=0 failed=0 i=1
while [ "$i" -le "$count" ]; do
    if [ "$(head -1 "$work/result.$i" 2>/dev/null)" = ok ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        cat "$work/result.$i"
    fi
    i=$((i + 1))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
