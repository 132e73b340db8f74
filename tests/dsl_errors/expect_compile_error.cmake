# Fails unless COMPILER refuses SOURCE, and with the message that SOURCE asks for: see CMakeLists.txt. USE_HEADER are the
# options that find the precompiled header.
file(STRINGS ${SOURCE} lines)
list(POP_FRONT lines first)
if(NOT first MATCHES "^// expect: ([a-z_]+)$")
  message(FATAL_ERROR "${SOURCE}:1: expected '// expect: name_of_the_mistake', found '${first}'")
endif()
set(mistake ${CMAKE_MATCH_1})

# Counted from the text: file(STRINGS) leaves empty lines out.
file(READ ${SOURCE} text)
string(FIND "${text}" "// here" at)
if(at EQUAL -1)
  message(FATAL_ERROR "${SOURCE}: no line is marked with '// here'")
endif()
string(SUBSTRING "${text}" 0 ${at} text)
string(REGEX REPLACE "[^\n]" "" newlines "${text}")
string(LENGTH "${newlines}" line)
math(EXPR line "${line} + 1")

execute_process(
  COMMAND ${COMPILER} ${USE_HEADER} -std=c++20 -fsyntax-only -I ${ROOT} -I ${ROOT}/dsl/include ${SOURCE}
  RESULT_VARIABLE status
  OUTPUT_VARIABLE output
  ERROR_VARIABLE output)

cmake_path(GET SOURCE FILENAME name)
if(status EQUAL 0)
  message(FATAL_ERROR "${name} compiles, expected ${mistake}")
endif()
foreach(expected IN ITEMS ${mistake} ${name}:${line}:)
  string(FIND "${output}" "${expected}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "the message does not hold '${expected}':\n${output}")
  endif()
endforeach()
