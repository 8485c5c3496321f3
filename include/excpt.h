/* excpt.h - the words of structured exception handling, in C++. */
#ifndef LINSOCK_EXCPT_H
#define LINSOCK_EXCPT_H

/* debug/exception-handler-syntax */
#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)

/* cpp/try-except-statement. No structured exception is ever raised here: a fault of the processor is a signal, and
 * ends the program. So the guarded block runs, and its handler never does; its filter is not even compiled.
 * libstdc++ writes its own catch clauses with __try, which is why this one has to be the very same. */
#ifdef __cplusplus
extern "C++" {
struct linsock_structured_exception {
};
}
#if __cpp_exceptions
#ifndef __try
#define __try try
#endif
#define __except(filter) catch (const ::linsock_structured_exception &)
#else
#ifndef __try
#define __try if (true)
#endif
#define __except(filter) if (false)
#endif
#endif

#endif
