# Writes build_id.h: a hash of everything that decides what machine code a kernel gets. Run at every build; the
# file changes only when the hash does.
# Needs: SOURCE_DIR, OUTPUT, TOOLS (names and versions of the libraries that make the code).
cmake_minimum_required(VERSION 3.25)
# Those that make kernels, and what they ask: layouts, the target, index arithmetic, formulas, the attributes of
# operators.
file(GLOB_RECURSE sources
  ${SOURCE_DIR}/compiler/emit/*.cpp ${SOURCE_DIR}/compiler/emit/*.h
  ${SOURCE_DIR}/compiler/kernels/*.cpp ${SOURCE_DIR}/compiler/kernels/*.h
  ${SOURCE_DIR}/compiler/lower/*.cpp ${SOURCE_DIR}/compiler/lower/*.h
  ${SOURCE_DIR}/dsl/ops/*.h)
file(GLOB more
  ${SOURCE_DIR}/compiler/layout.* ${SOURCE_DIR}/compiler/program.h ${SOURCE_DIR}/compiler/target.*
  ${SOURCE_DIR}/compiler/ops/axis_map.* ${SOURCE_DIR}/compiler/ops/digits.* ${SOURCE_DIR}/compiler/ops/formula.*
  ${SOURCE_DIR}/compiler/ops/philox.h ${SOURCE_DIR}/compiler/ops/stencil.*
  ${SOURCE_DIR}/compiler/passes/fusion_cost.* ${SOURCE_DIR}/compiler/passes/fusion_rules.*
  ${SOURCE_DIR}/dsl/formula.h)
list(APPEND sources ${more})
list(SORT sources)
set(text "${TOOLS}")
foreach(source IN LISTS sources)
  file(SHA256 ${source} hash)
  string(APPEND text ${hash})
endforeach()
string(SHA256 id "${text}")
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT
"#pragma once
/// Generated: changes whenever a kernel's machine code may.

namespace halcyon::compiler {
inline constexpr const char* kBuildId = \"@id@\";
}
" @ONLY)
