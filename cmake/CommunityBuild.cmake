# Flags and the three functions every CMakeLists.txt of this project uses.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(COMMUNITY_CCACHE ccache)
if(COMMUNITY_CCACHE)
  # Paths of the tree are hashed as relative ones: a second clone or work tree finds what the first one compiled.
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      ${COMMUNITY_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_C_COMPILER_LAUNCHER})
endif()
# lld links a test program in a fifth of the time of the default linker; the result is the same program.
find_program(COMMUNITY_LLD NAMES ld.lld ld.lld-14)
if(COMMUNITY_LLD AND NOT CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT COMMUNITY_FUZZ)
  add_link_options(-B${CMAKE_BINARY_DIR}/lld -fuse-ld=lld)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/lld)
  file(CREATE_LINK ${COMMUNITY_LLD} ${CMAKE_BINARY_DIR}/lld/ld.lld SYMBOLIC)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror=return-type
                    -fstack-protector-strong)
# GCC 12 takes the frame allocation of Asio's coroutines for a mismatch, and sees an overlap in `"text" + string` (GCC bug
# 105329); neither is one.
add_compile_options("$<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete;-Wno-restrict>")
add_compile_definitions($<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
if(COMMUNITY_ASSERTIONS)
  string(REPLACE "-DNDEBUG" "" CMAKE_CXX_FLAGS_RELWITHDEBINFO "${CMAKE_CXX_FLAGS_RELWITHDEBINFO}")
endif()
# Debug information of Boost templates doubles compile time and disk use; line numbers are what a backtrace needs.
string(REPLACE "-g" "-g1" CMAKE_CXX_FLAGS_RELWITHDEBINFO "${CMAKE_CXX_FLAGS_RELWITHDEBINFO}")
if(COMMUNITY_SANITIZE)
  add_compile_options(-fsanitize=${COMMUNITY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${COMMUNITY_SANITIZE})
endif()
if(COMMUNITY_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
if(COMMUNITY_FUZZ)
  add_compile_options(-fsanitize=address,undefined,fuzzer-no-link -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()

# cn_library(NAME sources... DEPS libraries...): the static library of one module; includes are relative to the root.
function(cn_library name)
  cmake_parse_arguments(M "" "" "DEPS" ${ARGN})
  add_library(${name} STATIC ${M_UNPARSED_ARGUMENTS})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${M_DEPS})
endfunction()

# cn_test(NAME sources... DEPS libraries...): one GoogleTest program, registered with CTest and found by tools/test. What it
# tests is optimised as ever; the test's own lines run once, and compile in two thirds of the time without.
function(cn_test name)
  if(COMMUNITY_FUZZ)
    return()
  endif()
  cmake_parse_arguments(M "" "" "DEPS" ${ARGN})
  find_package(GTest REQUIRED)
  add_executable(${name} ${M_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_compile_definitions(${name} PRIVATE COMMUNITY_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                             COMMUNITY_BINARY_DIR="${CMAKE_BINARY_DIR}")
  target_compile_options(${name} PRIVATE $<$<CONFIG:RelWithDebInfo>:-Og>)
  target_link_libraries(${name} PRIVATE ${M_DEPS} GTest::gmock GTest::gtest GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
endfunction()

# cn_fuzzer(NAME sources... DEPS libraries...): one libFuzzer program; its corpus lies in fuzz/corpus/NAME.
function(cn_fuzzer name)
  cmake_parse_arguments(M "" "" "DEPS" ${ARGN})
  add_executable(${name} ${M_UNPARSED_ARGUMENTS})
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(${name} PRIVATE ${M_DEPS})
endfunction()
