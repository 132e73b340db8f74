#pragma once
/// The words that command lines refuse: runtime/program/usage.h, as the commands here call it.

#include "runtime/program/usage.h"

namespace halcyon::compiler {

using runtime::number;
using runtime::some_path;
using runtime::usable_by;
using runtime::usage_text;
using runtime::whole_number;

}  // namespace halcyon::compiler
