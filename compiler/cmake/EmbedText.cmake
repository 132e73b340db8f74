# Writes abi_text.h: runtime/base/abi.h as a string, for the headers that the compiler makes.
# Needs: INPUT, OUTPUT.
cmake_minimum_required(VERSION 3.25)
file(READ ${INPUT} text)
file(WRITE ${OUTPUT}
"#pragma once
/// Generated from runtime/base/abi.h.

namespace halcyon::compiler {
inline constexpr const char* kAbiText = R\"HALCYON_TEXT(${text})HALCYON_TEXT\";
}
")
