#pragma once
/// Which names a library may have: its functions, its macros and the struct of its C++ header are
/// named after it, and stand in a program beside everything else that C and C++ name.

#include <string>
#include <string_view>

namespace halcyon::compiler {

/// Whether C++ keeps this word for itself.
bool is_cpp_keyword(std::string_view word);

/// Names of functions are free, log and index too: a struct may share its name with a function.
/// Errors: UserError for what is no identifier, or names a type, a macro or a header of the C
/// library.
void check_library_name(const std::string& name);

}  // namespace halcyon::compiler
