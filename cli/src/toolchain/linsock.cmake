# A CMake toolchain: projects for Windows, compiled and linked by linsock.
#
#     linsock toolchain cmake > linsock.cmake
#     cmake -S . -B build --toolchain linsock.cmake
#
# The project sees Windows (WIN32, and MINGW: the compiler takes gcc's options). What it builds is native: executables without a
# suffix, libNAME.a, libNAME.so with a run path, and no import libraries. Resources (.rc) become empty objects.
#
# CMake reads this file twice: as the toolchain, and behind its own rules for Windows, which build PE images.

if(NOT WIN32)
  set(CMAKE_SYSTEM_NAME Windows)
  set(CMAKE_SYSTEM_PROCESSOR @PROCESSOR@)
  set(CMAKE_C_COMPILER "@LINSOCK@" cc)
  set(CMAKE_CXX_COMPILER "@LINSOCK@" c++)
  # Any program does: the rule below does not call it by this name.
  set(CMAKE_RC_COMPILER "@LINSOCK@")
  set(CMAKE_USER_MAKE_RULES_OVERRIDE "${CMAKE_CURRENT_LIST_FILE}")
  return()
endif()

# The programs run here.
set(CMAKE_CROSSCOMPILING FALSE)

foreach(kind STATIC_LIBRARY SHARED_LIBRARY SHARED_MODULE)
  set(CMAKE_${kind}_PREFIX lib)
endforeach()
set(CMAKE_EXECUTABLE_SUFFIX "")
set(CMAKE_STATIC_LIBRARY_SUFFIX .a)
set(CMAKE_SHARED_LIBRARY_SUFFIX .so)
set(CMAKE_SHARED_MODULE_SUFFIX .so)
set(CMAKE_FIND_LIBRARY_PREFIXES lib)
set(CMAKE_FIND_LIBRARY_SUFFIXES .so .a)
set(CMAKE_LINK_LIBRARY_SUFFIX "")
set(CMAKE_PLATFORM_USES_PATH_WHEN_NO_SONAME 1)
set(CMAKE_DL_LIBS dl)
# Without these a library is linked as itself.
unset(CMAKE_IMPORT_LIBRARY_PREFIX)
unset(CMAKE_IMPORT_LIBRARY_SUFFIX)

set(CMAKE_SHARED_LIBRARY_RPATH_ORIGIN_TOKEN "\$ORIGIN")
foreach(language C CXX)
  # The usual rules take the place of those that are not set. They are set language by language.
  foreach(rule CREATE_SHARED_LIBRARY CREATE_SHARED_MODULE LINK_EXECUTABLE)
    if("${CMAKE_${language}_${rule}}" MATCHES image-version)
      unset(CMAKE_${language}_${rule})
    endif()
  endforeach()
  unset(CMAKE_${language}_CREATE_WIN32_EXE)
  unset(CMAKE_${language}_CREATE_CONSOLE_EXE)
  set(CMAKE_${language}_STANDARD_LIBRARIES_INIT "")
  set(CMAKE_${language}_COMPILE_OPTIONS_PIC -fPIC)
  set(CMAKE_${language}_COMPILE_OPTIONS_PIE -fPIE)
  set(CMAKE_SHARED_LIBRARY_${language}_FLAGS -fPIC)
  set(CMAKE_SHARED_LIBRARY_CREATE_${language}_FLAGS -shared)
  set(CMAKE_SHARED_LIBRARY_RUNTIME_${language}_FLAG -Wl,-rpath,)
  set(CMAKE_SHARED_LIBRARY_RUNTIME_${language}_FLAG_SEP :)
  set(CMAKE_SHARED_LIBRARY_RPATH_LINK_${language}_FLAG -Wl,-rpath-link,)
  set(CMAKE_SHARED_LIBRARY_SONAME_${language}_FLAG -Wl,-soname,)
  set(CMAKE_SHARED_LIBRARY_LINK_${language}_FLAGS "")
  set(CMAKE_EXE_EXPORTS_${language}_FLAG -Wl,--export-dynamic)
endforeach()

set(CMAKE_RC_COMPILE_OBJECT "\"@LINSOCK@\" cc -x c -c /dev/null -o <OBJECT>")
