# Puts archives into an object file, for compiler/driver/program_parts.h:
#
#   halcyon_embed_program_parts(OUTPUT file.cpp TARGETS halcyon_program ... SYSTEM jpeg png16 z)
#
# A system library is taken along where it is there as an archive, so that a program which is copied to another
# machine does not miss it; otherwise the program needs the shared one.

function(halcyon_embed_program_parts)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "OUTPUT" "TARGETS;SYSTEM")
  cmake_path(GET arg_OUTPUT PARENT_PATH folder)
  set(archives)
  set(options)
  foreach(target IN LISTS arg_TARGETS)
    set(archive ${folder}/lib${target}.a)
    add_custom_command(
      OUTPUT ${archive}
      COMMAND ${CMAKE_COMMAND} -E copy $<TARGET_FILE:${target}> ${archive}
      DEPENDS ${target}
      VERBATIM)
    list(APPEND archives ${archive})
  endforeach()
  foreach(library IN LISTS arg_SYSTEM)
    find_library(HALCYON_ARCHIVE_${library} lib${library}.a)
    mark_as_advanced(HALCYON_ARCHIVE_${library})
    if(HALCYON_ARCHIVE_${library})
      list(APPEND archives ${HALCYON_ARCHIVE_${library}})
    else()
      list(APPEND options -l${library})
    endif()
  endforeach()
  if(HALCYON_SANITIZE)
    list(APPEND options -fsanitize=${HALCYON_SANITIZE} -lstdc++)
  else()
    list(APPEND options -s -static-libgcc -Wl,-Bstatic -lstdc++ -Wl,-Bdynamic)
  endif()
  list(APPEND options -pthread -lm)

  set(data)
  set(table)
  set(number 0)
  foreach(archive IN LISTS archives)
    cmake_path(GET archive FILENAME name)
    string(APPEND data "HALCYON_PART(${number}, \"${archive}\")\n")
    string(APPEND table "      {\"${name}\", between(halcyon_part_${number}, halcyon_part_${number}_end)},\n")
    math(EXPR number "${number} + 1")
  endforeach()
  list(JOIN options "\", \"" options)
  file(CONFIGURE OUTPUT ${arg_OUTPUT} @ONLY CONTENT [[
// Made by CMake: see compiler/cmake/ProgramParts.cmake.
#include "compiler/driver/program_parts.h"

#define HALCYON_PART(number, path)                                                                 \
  asm(".pushsection .rodata\n.balign 64\nhalcyon_part_" #number ":\n.incbin \"" path "\"\n"          \
      "halcyon_part_" #number "_end:\n.popsection\n");                                             \
  extern "C" const std::byte halcyon_part_##number[], halcyon_part_##number##_end[];

@data@
namespace halcyon::compiler {

std::vector<ProgramPart> program_parts() {
  const auto between = [](const std::byte* begin, const std::byte* end) { return std::span(begin, end); };
  return {
@table@  };
}

std::vector<std::string> program_link_options() { return {"@options@"}; }

}  // namespace halcyon::compiler
]])
  set_source_files_properties(${arg_OUTPUT} PROPERTIES OBJECT_DEPENDS "${archives}")
endfunction()
