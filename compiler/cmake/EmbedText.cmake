# Writes a header that holds a file's text as a string, for what the compiler writes into its own output.
# Needs: INPUT, OUTPUT, NAME of the constant, FROM: what the header says it was made from.
cmake_minimum_required(VERSION 3.25)
file(READ ${INPUT} text)
file(WRITE ${OUTPUT}
"#pragma once
/// Generated from ${FROM}.

namespace halcyon::compiler {
inline constexpr const char* ${NAME} = R\"HALCYON_TEXT(${text})HALCYON_TEXT\";
}
")
