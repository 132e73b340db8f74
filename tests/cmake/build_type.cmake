# Configures user_project and reads the compiler's commands: Halcyon's sources are optimised unless the user chose a
# build type, and the user's own are what the user chose.
# Needs: HALCYON, PROJECT, BINARY, GENERATOR.
cmake_minimum_required(VERSION 3.25)

# How the sources whose path matches `pattern` are compiled.
function(read_commands result build_type pattern)
  file(STRINGS ${BINARY}/${build_type}/compile_commands.json lines REGEX "\"command\": .*${pattern}")
  if(NOT lines)
    message(FATAL_ERROR "with build type '${build_type}', nothing compiles ${pattern}")
  endif()
  set(${result} "${lines}" PARENT_SCOPE)
endfunction()

function(expect_all lines expected)
  foreach(line IN LISTS lines)
    if(NOT line MATCHES "${expected}")
      message(FATAL_ERROR "expected '${expected}' in: ${line}")
    endif()
  endforeach()
endfunction()

foreach(build_type IN ITEMS unset Debug)
  set(options)
  if(NOT build_type STREQUAL "unset")
    set(options -DCMAKE_BUILD_TYPE=${build_type})
  endif()
  file(REMOVE_RECURSE ${BINARY}/${build_type})
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env --unset=CMAKE_BUILD_TYPE --unset=CXXFLAGS
            ${CMAKE_COMMAND} -S ${PROJECT} -B ${BINARY}/${build_type} -G ${GENERATOR} -DHALCYON=${HALCYON}
            -DHALCYON_BUILD_COMPILER=OFF ${options}
    OUTPUT_QUIET
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()

read_commands(lines unset "runtime/(data/)?[a-z_]+.cpp")
expect_all("${lines}" " -O3 -DNDEBUG ")
read_commands(lines Debug "runtime/(data/)?[a-z_]+.cpp")
expect_all("${lines}" " -g ")
read_commands(lines unset "user_project/main.cpp")
if(lines MATCHES " -O[0-9]")
  message(FATAL_ERROR "the user's own program is optimised, which nobody asked for: ${lines}")
endif()
